// Feeds a dialect's reader with bytes and tells what came out.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llm/remote/dialect.h"

namespace tars::llm::testing {

struct ReadAnswer : TextTarget {
  void on_text(std::string_view text) override { tokens.emplace_back(text); }
  void on_thought() override { ++thoughts; }

  std::vector<std::string> tokens;
  int thoughts = 0;
  std::optional<Error> error;
  std::optional<Completion> end;
};

// `step` bytes at a time; `closed`: the body is complete then.
inline ReadAnswer read_answer(const Dialect& dialect, std::string_view bytes,
                              std::size_t step = 1 << 20, bool closed = true) {
  ReadAnswer out;
  const auto reader = dialect.reader();
  Result<void> result;
  for (std::size_t at = 0; at < bytes.size() && result; at += step) {
    result = reader->feed(bytes.substr(at, step), out);
  }
  if (result && closed) result = reader->finish(out);
  if (!result) out.error = result.error();
  out.end = reader->end();
  return out;
}

}  // namespace tars::llm::testing

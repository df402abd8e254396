// A model's text as it comes: its marks whole, all else in pieces.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "llm/llama/thought_filter.h"

namespace tars::llm {

// Each mark in `text` is a token, but behind a backslash, which is left out, it is spelt.
inline std::string filter_in_pieces(std::string_view text, std::size_t step,
                                    const ThoughtMarks& marks, bool begins_with_thoughts,
                                    bool by_itself = true) {
  constexpr std::array<std::string_view, 6> kMarks{"<think>",     "</think>",    "<|start|>",
                                                   "<|channel|>", "<|message|>", "<|end|>"};
  ThoughtFilter filter(marks, begins_with_thoughts);
  std::string out;
  std::string pending;
  const auto flush = [&] {
    for (std::size_t at = 0; at < pending.size(); at += step) {
      out += filter.push(std::string_view(pending).substr(at, step), false);
    }
    pending.clear();
  };
  while (!text.empty()) {
    const bool escaped = text.front() == '\\';
    if (escaped) text.remove_prefix(1);
    const auto mark = std::ranges::find_if(
        kMarks, [text](std::string_view candidate) { return text.starts_with(candidate); });
    const bool token = !escaped && mark != kMarks.end() && marks.includes(*mark) && !marks.spelt;
    if (token) {
      flush();
      out += filter.push(*mark, true);
    } else {
      pending += text.substr(0, 1);
    }
    text.remove_prefix(std::min(text.size(), token ? mark->size() : 1));
  }
  flush();
  out += filter.finish(by_itself);
  return out;
}

}  // namespace tars::llm

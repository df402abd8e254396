// A model's text from bytes: any split must show the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "llm/llama/thought_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + data[0] % 7;
  const tars::llm::ThoughtMarks think{.opening = "<think>", .closing = "</think>"};
  const bool begins = (data[0] & 0x10U) != 0;
  const auto marks = (data[0] & 0x8U) != 0 ? tars::llm::ThoughtMarks{.channels = true} : think;

  std::string split;
  tars::llm::ThoughtFilter pieces(marks, begins);
  for (std::size_t at = 0; at < text.size(); at += step)
    split += pieces.push(text.substr(at, step));
  split += pieces.finish();
  tars::llm::ThoughtFilter once(marks, begins);
  std::string whole(once.push(text));
  whole += once.finish();
  if (split != whole) std::abort();
  return 0;
}

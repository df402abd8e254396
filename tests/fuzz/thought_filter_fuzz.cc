// A model's text from bytes: any split between its marks must show the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../support/model_pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + data[0] % 7;
  const bool begins = (data[0] & 0x10U) != 0;
  const bool by_itself = (data[0] & 0x40U) == 0;
  const tars::llm::ThoughtMarks think{
      .opening = "<think>", .closing = "</think>", .spelt = (data[0] & 0x20U) != 0};
  const auto marks = (data[0] & 0x8U) != 0 ? tars::llm::ThoughtMarks{.channels = true} : think;
  const auto shown = [&](std::size_t pieces) {
    return tars::llm::filter_in_pieces(text, pieces, marks, begins, by_itself);
  };
  if (shown(step) != shown(size)) std::abort();
  return 0;
}

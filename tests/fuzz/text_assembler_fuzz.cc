// Pieces and stop sequences from bytes: any split must give the same valid text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "llm/text_assembler.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t stop_bytes = std::min<std::size_t>(data[0] % 8, input.size());
  const std::size_t step = 1 + data[1] % 7;
  // A stop sequence comes from a JSON string and is valid UTF-8.
  const std::vector<std::string> stops{tars::replace_invalid_utf8(input.substr(0, stop_bytes))};
  const std::string text = input.substr(stop_bytes);

  std::string split;
  tars::llm::TextAssembler pieces(stops);
  for (std::size_t at = 0; at < text.size(); at += step)
    split += pieces.push(text.substr(at, step));
  split += pieces.finish();
  std::string whole;
  tars::llm::TextAssembler once(stops);
  whole += once.push(text);
  whole += once.finish();
  if (split != whole || !tars::is_valid_utf8(whole)) std::abort();
  return 0;
}

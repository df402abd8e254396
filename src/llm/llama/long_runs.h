// Text in pieces that any tokenizer can take.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace tars::llm {

// llama.cpp splits text into words by std::regex where a model's tokenizer has no splitter of its
// own, and that calls itself once for each character of a word: one letter 32,000 times would end
// the process. So runs of the same kind of character (letters, digits, blanks, the rest; beyond
// ASCII all count as any) are cut after kLongestRun bytes, on a whole character. Some tokenizers'
// words are all but blanks and punctuation: what has no blank, such as base64, is cut after
// kLongestWord bytes, which take that expression 2 MiB of stack. Everything else stays in one
// piece; put together the pieces are `text`, which they borrow from.
//
// At each of `seams`, rising offsets into `text`, both are counted anew: a message's dashes do not
// cut the control token that the template puts behind them.
constexpr std::size_t kLongestRun = 2048;
constexpr std::size_t kLongestWord = 4096;
std::vector<std::string_view> cut_long_runs(std::string_view text,
                                            std::span<const std::size_t> seams = {});

}  // namespace tars::llm

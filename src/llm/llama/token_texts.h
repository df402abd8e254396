// The texts of some tokens, to be found in other text.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace tars::llm {

// A few look-ups for each place of the text, however many texts there are: some vocabularies have
// thousands of reserved tokens. Any thread may ask at once.
class TokenTexts {
 public:
  // Empty ones are left out.
  explicit TokenTexts(std::vector<std::string> texts = {});

  // Whether `text` begins with one of them.
  bool begins(std::string_view text) const;
  // Whether one of them is anywhere in it.
  bool any_in(std::string_view text) const;

 private:
  std::vector<std::string> texts_;  // sorted, none the beginning of another
  std::bitset<256> first_bytes_;
};

}  // namespace tars::llm

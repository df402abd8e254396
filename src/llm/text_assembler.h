// From the byte pieces of tokens to text that may be shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tars::llm {

// Holds back bytes of an unfinished character and text that may still become a stop sequence. Owns
// what it holds: less than the longest stop sequence plus one piece. The joined output depends only
// on the joined input, not on where the pieces were cut. For one thread.
class TextAssembler {
 public:
  // Empty stop sequences are ignored.
  explicit TextAssembler(std::vector<std::string> stops = {});

  // What may be shown now that `piece` arrived: whole UTF-8 characters, ill-formed bytes as U+FFFD.
  // The view lives until the next call. After a stop sequence: what came before it, later calls
  // give nothing.
  std::string_view push(std::string_view piece);

  // The end of input: what was held back, without the bytes of an unfinished last character.
  std::string_view finish();

  // A stop sequence was found.
  bool stopped() const { return stopped_; }

 private:
  bool cut_at_stop();
  std::size_t releasable() const;
  std::string_view release(std::size_t bytes);

  std::vector<std::string> stops_;
  std::string held_;
  std::string out_;
  bool stopped_ = false;
};

}  // namespace tars::llm

// The text of an answer, token by token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tars::chat {

// Tokens [first, first + count) of a log, as one text.
struct Slice {
  std::string text;
  std::size_t first = 0;
  std::size_t count = 0;
};

// Not thread-safe. Grows at its end, in blocks: a long answer is never copied to make room for
// more, and takes its text plus 4 bytes a token and a little.
class TokenLog {
 public:
  // One token; its text may be empty.
  void append(std::string_view text);
  // The last token's text goes on; there must be one.
  void extend_last(std::string_view text);
  // Gives back the room to grow.
  void shrink();

  bool empty() const { return tokens_ == 0; }
  std::size_t tokens() const { return tokens_; }
  bool last_is_empty() const;  // false when there is none
  std::size_t memory() const;  // bytes

  // From token `offset`, at most `max_bytes` of text, but at least one token with text. Ends with
  // a token with text, so count 0 means that there is no text; only where the log ends there and
  // `to_the_end` is set, the empty tokens behind it are part of it.
  Slice read(std::size_t offset, std::size_t max_bytes, bool to_the_end) const;
  // Bytes of text of each token in [first, first + count).
  std::vector<std::uint32_t> lengths(std::size_t first, std::size_t count) const;
  std::string text() const;

 private:
  struct Block {
    std::size_t first = 0;  // token
    std::string text;  // at most kBlockBytes, or one long token
    std::vector<std::uint32_t> ends;  // text up to ends[i] belongs to the block's tokens 0..i

    std::size_t begin_of(std::size_t index) const { return index == 0 ? 0 : ends[index - 1]; }
  };
  // The block that holds this token, which must exist.
  std::vector<Block>::const_iterator block_of(std::size_t token) const;

  std::vector<Block> blocks_;  // none is empty
  std::size_t tokens_ = 0;
};

}  // namespace tars::chat

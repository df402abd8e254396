// From bytes as they come to whole lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::llm {

// Lines end with LF; a CR before it is no part of the line. Copies only the line that a piece ends
// in the middle of. Bounded: generation_error for a line longer than `max_bytes`. For one thread.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Calls `take(std::string_view line)`, which gives a Result<void>, for every line that ends in
  // `bytes`; stops at the first error.
  template <class Take>
  Result<void> feed(std::string_view bytes, Take&& take) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      if (held_.size() + piece.size() > max_bytes_) return too_long();
      if (end == std::string_view::npos) {
        held_ += piece;
        return {};
      }
      bytes.remove_prefix(end + 1);
      Result<void> taken = held_.empty() ? take(without_cr(piece)) : take_held(piece, take);
      if (!taken) return taken;
    }
    return {};
  }

  // The line that has no end yet.
  std::string_view rest() const { return held_; }

 private:
  static std::string_view without_cr(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  template <class Take>
  Result<void> take_held(std::string_view piece, Take&& take) {
    held_ += piece;
    Result<void> taken = take(without_cr(held_));
    held_.clear();
    return taken;
  }
  Error too_long() const;

  const std::size_t max_bytes_;
  std::string held_;
};

}  // namespace tars::llm

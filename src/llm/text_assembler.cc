#include "llm/text_assembler.h"

#include <algorithm>

#include "base/utf8.h"

namespace tars::llm {

TextAssembler::TextAssembler(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

std::string_view TextAssembler::push(std::string_view piece) {
  if (stopped_) return {};
  held_ += piece;
  if (cut_at_stop()) return finish();
  return release(complete_utf8_prefix(std::string_view(held_).substr(0, releasable())));
}

std::string_view TextAssembler::finish() { return release(complete_utf8_prefix(held_)); }

// The match that ends first wins, and of those the longest: that is what byte by byte would find.
bool TextAssembler::cut_at_stop() {
  std::size_t best_end = std::string::npos;
  std::size_t best_begin = std::string::npos;
  for (const std::string& stop : stops_) {
    const std::size_t begin = held_.find(stop);
    if (begin == std::string::npos) continue;
    const std::size_t end = begin + stop.size();
    if (end < best_end || (end == best_end && begin < best_begin)) {
      best_end = end;
      best_begin = begin;
    }
  }
  if (best_end == std::string::npos) return false;
  held_.resize(best_begin);
  stopped_ = true;
  return true;
}

// All but the longest tail that begins a stop sequence.
std::size_t TextAssembler::releasable() const {
  std::size_t keep = 0;
  const std::string_view held = held_;
  for (const std::string& stop : stops_) {
    for (std::size_t n = std::min(stop.size() - 1, held.size()); n > keep; --n) {
      if (held.substr(held.size() - n) == std::string_view(stop).substr(0, n)) {
        keep = n;
        break;
      }
    }
  }
  return held.size() - keep;
}

std::string_view TextAssembler::release(std::size_t bytes) {
  const std::string_view whole = std::string_view(held_).substr(0, bytes);
  if (is_valid_utf8(whole)) {
    out_.assign(whole);
  } else {
    out_ = replace_invalid_utf8(whole);
  }
  if (stopped_) {
    held_.clear();
  } else {
    held_.erase(0, bytes);
  }
  return out_;
}

}  // namespace tars::llm

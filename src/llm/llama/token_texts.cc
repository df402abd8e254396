#include "llm/llama/token_texts.h"

#include <algorithm>
#include <utility>

namespace tars::llm {

TokenTexts::TokenTexts(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  for (std::string& text : texts) {
    if (text.empty()) continue;
    // Where the longer one is, the shorter is, too.
    if (!texts_.empty() && text.starts_with(texts_.back())) continue;
    first_bytes_.set(static_cast<unsigned char>(text.front()));
    texts_.push_back(std::move(text));
  }
}

// None between a beginning of `text` and `text` itself, in this order, lacks that beginning; so
// only the one right before `text` can be it.
bool TokenTexts::begins(std::string_view text) const {
  if (text.empty() || !first_bytes_[static_cast<unsigned char>(text.front())]) return false;
  const auto behind = std::ranges::upper_bound(
      texts_, text, {}, [](const std::string& t) { return std::string_view(t); });
  return behind != texts_.begin() && text.starts_with(*std::prev(behind));
}

bool TokenTexts::any_in(std::string_view text) const {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (begins(text)) return true;
  }
  return false;
}

}  // namespace tars::llm

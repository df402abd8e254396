#include "llm/llama/slot_table.h"

#include <algorithm>

namespace tars::llm {
namespace {

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

std::optional<SlotTable::Choice> SlotTable::take(std::span<const TokenId> prompt,
                                                 const std::string& cache_key) {
  std::optional<Choice> reuse;
  std::optional<Choice> oldest;
  bool reuse_same_key = false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.busy) continue;
    const std::size_t common = common_prefix(slot.tokens, prompt);
    const bool same_key = !cache_key.empty() && slot.cache_key == cache_key;
    // A slot of another conversation is worth more to that one, unless little of it would be lost.
    const bool worth = common > 0 && (same_key || 5 * common >= 4 * slot.tokens.size());
    const bool better = !reuse || common > reuse->common ||
                        (common == reuse->common && same_key && !reuse_same_key);
    if (worth && better) {
      reuse = Choice{i, common};
      reuse_same_key = same_key;
    }
    if (!oldest || slot.used < slots_[oldest->slot].used) oldest = Choice{i, common};
  }
  if (!oldest) return std::nullopt;
  Choice choice = reuse ? *reuse : *oldest;
  choice.common = std::min(choice.common, prompt.empty() ? 0 : prompt.size() - 1);
  Slot& slot = slots_[choice.slot];
  slot.tokens.resize(choice.common);
  slot.cache_key = cache_key;
  slot.busy = true;
  slot.used = ++clock_;
  return choice;
}

void SlotTable::release(std::size_t slot) {
  slots_[slot].busy = false;
  slots_[slot].used = ++clock_;
}

}  // namespace tars::llm

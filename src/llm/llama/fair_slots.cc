#include "llm/llama/fair_slots.h"

#include <algorithm>
#include <tuple>

namespace tars::llm {
namespace {

std::ptrdiff_t held(std::span<const SlotHolder> holders, const std::string& client) {
  return std::ranges::count(holders, client, &SlotHolder::client);
}

}  // namespace

std::optional<std::size_t> next_for_a_slot(std::span<const SlotWaiter> waiting,
                                           std::span<const SlotHolder> holders) {
  std::optional<std::size_t> best;
  std::tuple<std::ptrdiff_t, bool> best_rank;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const std::tuple rank(held(holders, waiting[i].client), !waiting[i].paused);
    if (best && best_rank <= rank) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

std::optional<std::size_t> to_pause_for(const std::string& client,
                                        std::span<const SlotHolder> holders) {
  if (held(holders, client) > 0) return std::nullopt;
  std::optional<std::size_t> best;
  std::tuple<std::ptrdiff_t, std::uint64_t> best_rank;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const std::tuple rank(held(holders, holders[i].client), holders[i].begun);
    if (!holders[i].may_pause || std::get<0>(rank) < 2 || (best && rank <= best_rank)) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

}  // namespace tars::llm

// The places in the model's memory, and what each still holds from the generation before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/prompt_fit.h"

namespace tars::llm {

// Owns the token lists that mirror the model's KV memory: tokens[i] of a slot is what position i
// was computed from. Pure bookkeeping. For one thread.
class SlotTable {
 public:
  struct Slot {
    std::vector<TokenId> tokens;
    std::string cache_key;
    bool busy = false;
    std::uint64_t used = 0;  // order of last use
  };
  struct Choice {
    std::size_t slot = 0;
    std::size_t common = 0;  // tokens of the prompt that need not be computed again
  };

  explicit SlotTable(std::size_t slots) : slots_(slots) {}

  // Takes a free slot for the prompt: the one that shares the longest prefix, where that is most of
  // what it holds or it belongs to the same conversation, else the least recently used. At least
  // the prompt's last token is always left to compute. Forgets what lies beyond the common prefix.
  // nullopt when all are busy.
  std::optional<Choice> take(std::span<const TokenId> prompt, const std::string& cache_key);
  // The slot is free again; its tokens stay for reuse.
  void release(std::size_t slot);
  Slot& operator[](std::size_t slot) { return slots_[slot]; }
  std::size_t size() const { return slots_.size(); }

 private:
  std::vector<Slot> slots_;
  std::uint64_t clock_ = 0;
};

}  // namespace tars::llm

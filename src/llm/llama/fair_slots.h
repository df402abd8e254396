// Whose turn it is to have a slot of the model, and who leaves one for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tars::llm {

struct SlotHolder {
  std::string client;
  std::uint64_t begun = 0;  // order of its first slot; larger = later
  bool may_pause = true;
};

struct SlotWaiter {
  std::string client;
  bool paused = false;  // it had a slot before
};

// Which of `waiting`, longest first, gets the next free slot: one of the client that holds the
// fewest; among those an answer under way before one that has not begun. nullopt when none waits.
std::optional<std::size_t> next_for_a_slot(std::span<const SlotWaiter> waiting,
                                           std::span<const SlotHolder> holders);

// All slots are taken: which of `holders` leaves its own for `client`. Only for a client that holds
// none, and never a client's only one: of the client that holds the most, the latest begun that may
// be paused. nullopt when `client` has to wait.
std::optional<std::size_t> to_pause_for(const std::string& client,
                                        std::span<const SlotHolder> holders);

}  // namespace tars::llm

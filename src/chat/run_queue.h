// Who runs and who waits: a fair queue with bounds, without clock, thread or model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tars::chat {

// Waiting runs start round robin between clients: of the clients whose turn is possible, those with
// the fewest running come first, among them the one that has waited longest since it was last
// served. Within a client the order is first come, first served; but turns of one conversation
// never overlap, and one that waits for its predecessor lets other conversations pass. Each run has
// a lane, the backend that answers it; a full lane holds up no other. A lane whose backend
// pauses answers is never full for a client that runs nothing, as long as fewer clients run there
// than it has room for: one of them then has several places. Not thread-safe. Bounded by its
// limits.
class RunQueue {
 public:
  struct Limits {
    int running_per_client = 4;
    int waiting_per_client = 16;
    int waiting_total = 256;
  };
  struct Ticket {
    std::string run;
    std::string client;
    std::string conversation;
    std::string lane = {};
  };
  // How many runs of a lane may run at once, now.
  struct LaneRoom {
    int runs = 0;
    bool pauses = false;
  };
  using Room = std::function<LaneRoom(const std::string& lane)>;
  enum class Admission { started, waiting, client_full, total_full };

  explicit RunQueue(Limits limits) : limits_(limits) {}

  // Starts the run at once when its lane has room and nothing stands in its way; else it waits, or
  // is refused and leaves no trace.
  Admission admit(Ticket ticket, const Room& room);
  // Starts the run whose turn it is; nullopt when none may start.
  std::optional<std::string> next(const Room& room);
  // A started run that the model could not take yet waits again, first in its client's line.
  void put_back(const std::string& run);
  // Forgets a run, waiting or started. An unknown one is no error.
  void remove(const std::string& run);

  // The waiting runs, next to start first. What cannot start now, because its client runs the most
  // it may or its conversation is busy, comes after all that can.
  std::vector<std::string> order() const;
  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_; }
  // Another number than before means that order() and the counts may have changed.
  std::uint64_t changes() const { return changes_; }

 private:
  struct Client {
    std::deque<Ticket> waiting;
    int running = 0;
    std::uint64_t served = 0;  // when it came, or a run of it last began or ended; larger = later
  };
  // What order() knows of a client whose runs it lets begin one after the other.
  struct Line {
    std::vector<const Ticket*> waiting;
    int running = 0;
    std::uint64_t served = 0;
  };
  using Conversations = std::unordered_set<std::string_view>;

  // Moves what may begin out of `lines` to the end of `order` until each line is empty, has
  // `running_limit` or waits for one of the `busy`, to which each that begins adds its own.
  static void let_begin(std::vector<Line>& lines, Conversations& busy, int running_limit,
                        std::uint64_t& turn, std::vector<std::string>& order);
  std::deque<Ticket>::iterator startable(Client& client, const Room& room) const;
  bool has_room(const Ticket& ticket, const Room& room) const;
  void begin(Client& owner, Ticket ticket);
  void leave_lane(const Ticket& ticket);
  Client& client(const std::string& id);
  void forget_if_idle(const std::string& id);

  const Limits limits_;
  // In each ticket that is kept, the conversation is client_key() of its client and itself.
  std::unordered_map<std::string, Client> clients_;  // those with a run, waiting or started
  std::unordered_set<std::string> busy_;  // conversations with a started run
  std::unordered_map<std::string, Ticket> running_;
  struct Lane {
    int running = 0;
    std::unordered_map<std::string, int> clients;  // how many of each run
  };
  std::unordered_map<std::string, Lane> lanes_;
  std::size_t waiting_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace tars::chat

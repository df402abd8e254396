// What other threads tell the engine's worker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chat/engine.h"
#include "chat/live_run.h"

namespace tars::chat {

struct SubmitCommand {
  ChatRequest request;
  std::function<void()> wake;
  Engine::FollowDone done;
};
struct FollowCommand {
  std::string client_id;
  RunName run;
  std::function<void()> wake;
  Engine::FollowDone done;
};
struct CancelCommand {
  std::string client_id;
  CancelTarget target;
  std::function<void(Result<void>)> done;
};
using Command = std::variant<SubmitCommand, FollowCommand, CancelCommand>;

// Commands, at most `capacity`: clients take turns, so that one with many long messages does not
// hold up the others, and each one's own come in the order they were sent. News of ended runs, as
// many as there are runs; and a nudge. Thread-safe; take() for one thread. Outlives the engine in
// the hands of followers and sinks.
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  // False when full or closed: the command is then untouched.
  [[nodiscard]] bool push(Command& command);
  // A run has ended: the worker has to forget and to store it.
  void ended(std::shared_ptr<LiveRun> run);
  // Something else changed: look at everything.
  void nudge();

  struct Work {
    std::optional<Command> command;  // one at a time
    std::vector<std::shared_ptr<LiveRun>> ended;
    bool nudged = false;
  };
  // Waits for work, a nudge, or `patience`. The command taken counts as in hand until the next
  // take().
  Work take(std::chrono::steady_clock::duration patience);

  // A token was revoked: submits of it that wait here or are in hand are marked.
  void revoke(std::string_view client_id, std::string_view family, std::string_view token_id);
  // Was the token of the submit in hand revoked after it was sent?
  bool in_hand_revoked() const;

  // No more commands; answers those that were never taken.
  std::deque<Command> close();

 private:
  struct Item {
    Command command;
    bool revoked = false;
  };
  // What a client sent; never empty.
  struct Line {
    std::string client_id;
    std::deque<Item> items;
  };
  struct InHand {
    std::string client_id;
    std::string family;
    std::string token_id;
    bool revoked = false;
  };

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Line> lines_;  // the front's turn is next
  std::size_t waiting_ = 0;  // commands in all lines
  std::vector<std::shared_ptr<LiveRun>> ended_;
  std::optional<InHand> in_hand_;
  bool nudged_ = false;
  bool closed_ = false;
};

}  // namespace tars::chat

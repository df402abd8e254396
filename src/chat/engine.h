// Turns chat messages into runs: conversations, fair waiting, generation, storage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "chat/options.h"
#include "chat/run.h"
#include "llm/backend.h"

namespace tars::telemetry {
class Metrics;
}

namespace tars::chat {

struct ChatRequest {
  std::string client_id;
  std::string family;    // of the token that began it: a revocation stops the run
  std::string token_id;
  std::string content;
  std::optional<std::string> conversation_id;  // none: the engine makes one
  std::optional<std::string> message_id;       // the same one again attaches to the first run
  std::string model;                           // empty = default
  llm::Sampling sampling;
  bool finish_on_disconnect = false;
  std::string traceparent = {};  // for the model server, see llm::Request
};

// Which runs a cancel means; exactly one is set.
struct CancelTarget {
  std::optional<std::string> run_id;
  std::optional<std::string> message_id;
  std::optional<std::string> conversation_id;
};

// Which run a reader means; exactly one is set.
struct RunName {
  std::optional<std::string> run_id;
  std::optional<std::string> message_id;
};

// How a follower went away.
enum class Leave {
  closed,  // 1000, 1001 or no code from the peer: the run is cancelled unless it is to finish or
           // others follow
  lost,  // vanished, timed out or too slow: the run is kept for Options::grace
  revoked,  // the token that began the run was revoked: the run stops now
};

// One reader of one run. Leaves as `lost` when destroyed without leave(). Not thread-safe itself.
class Follower {
 public:
  virtual ~Follower() = default;
  virtual const Run& run() const = 0;
  virtual void leave(Leave how) = 0;
};

struct Counts {
  std::size_t running = 0;
  std::size_t waiting = 0;
};

// Owns the database of conversations and runs (chat.db), one worker thread, and every run in
// memory. Thread-safe; no member blocks on the disk or the model: what needs the store takes a
// callback, which comes exactly once, on the worker thread (on the caller's when the worker takes
// no more commands: too many wait, or it has ended). Callbacks must not block. Bounded: runs per
// client and in all (overloaded past that, nothing stored), commands waiting for the worker
// (overloaded), ended runs kept in memory. When the store fails, answers go on from memory, the
// listener of set_store_listener() hears of it once, and what could not be written is tried again.
class Engine {
 public:
  // Makes the database where there is none, and ends the runs that the last stop cut. config_error
  // for a database of a newer program, store_unavailable for one that cannot be opened, read or
  // written. `backend`, `clock` and `metrics` must outlive the engine.
  static Result<std::unique_ptr<Engine>> open(const std::filesystem::path& database,
                                              Options options, llm::Backend& backend,
                                              const Clock& clock, telemetry::Metrics& metrics);
  virtual ~Engine() = default;

  // Validated by the caller: lengths and ranges. Fails with overloaded, draining,
  // store_unavailable, or invalid_message (message_id with another content); then nothing is
  // stored. A message_id that is known attaches, whatever the limits say. What the backend refuses
  // (model_not_found, context_overflow, backend_unavailable) ends the run as failed, with that
  // error in its outcome. `wake` is called whenever the run has something new for this reader; see
  // Run::follow.
  using FollowDone = std::function<void(Result<std::unique_ptr<Follower>>)>;
  virtual void submit(ChatRequest request, std::function<void()> wake, FollowDone done) = 0;

  // Another reader of a run in memory or store. run_not_found for an unknown run and for another
  // client's alike.
  virtual void follow(std::string client_id, RunName run, std::function<void()> wake,
                      FollowDone done) = 0;

  // Stops the runs meant; those that ended stay as they are. run_not_found when a run_id or
  // message_id is unknown; a conversation without runs is no error. Cancels in memory at once, and
  // in the order of earlier submits.
  virtual void cancel(std::string client_id, CancelTarget target,
                      std::function<void(Result<void>)> done) = 0;

  // Stops every run that a revoked token began; an empty token_id means the whole family.
  virtual void revoke(std::string_view client_id, std::string_view family,
                      std::string_view token_id) = 0;

  virtual Counts counts() const = 0;
  // `listener` is called from the worker thread on each change: with a sentence when writes begin
  // to fail, with "" when they do no more. It must not block. A call that is on its way may still
  // reach the one before.
  virtual void set_store_listener(std::function<void(const std::string& trouble)> listener) = 0;
  // store_unavailable, with a sentence, while writes or reads fail, the file was moved away, or the
  // disk has not answered for 5 s.
  virtual Result<void> check_store() const = 0;

  // No new work from now on: submits answer draining, waiting runs end as cancelled.
  virtual void drain() = 0;
  // After drain(): whether every run has ended, those that were being taken on at that moment too.
  virtual bool is_drained() const = 0;
  // Ends what still runs (kept as partial), writes everything, joins the thread. store_unavailable,
  // with how many answers are lost and why, where the store could not be written to the end.
  virtual Result<void> shutdown() = 0;
};

}  // namespace tars::chat

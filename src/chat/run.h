// A run is a log: everything one generation produced, and its state. Readers are positions in it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "chat/token_log.h"

namespace tars::chat {

enum class RunStatus { queued, running, complete, cancelled, failed, interrupted };

// What never changes about a run.
struct RunInfo {
  std::string id;
  std::string client_id;
  std::string conversation_id;
  std::string message_id;  // the client's, or one made here
  std::string model;
  WallTime created_at{};
  SteadyTime submitted_at{};
  std::string token_id;  // of the token that began it; empty for one from the store
};

// How a run ended. `finish_reason` is stop, length or cancelled; empty after a failure.
struct Outcome {
  RunStatus status = RunStatus::complete;
  std::string finish_reason;
  std::optional<Error> error;
  int prompt_tokens = 0;
  int cached_tokens = 0;
  double latency_ms = 0;         // submitted to ended
  double ttft_ms = 0;            // submitted to first token; 0 when there was none
  double tokens_per_second = 0;  // first token to last
};

// Thread-safe. The writer appends; any number of readers read from their own offset, at their own
// pace. Memory is the text itself plus 4 bytes a token, at the end without room to grow; bounded by
// the answer's max_tokens.
class Run {
 public:
  explicit Run(RunInfo info);

  const RunInfo& info() const { return info_; }

  // -- the writer
  void start(int prompt_tokens, int cached_tokens);
  // One token; empty text is a token whose characters come with a later one.
  void append(std::string_view text, SteadyTime now);
  // Text that was held back until the end. It belongs to the last token; where a reader may have
  // that one already (it has text), it becomes one more token, so that no reader misses it.
  void append_rest(std::string_view rest);
  // The end; later calls change nothing, and neither do later tokens. Fills in what the log knows:
  // ttft_ms, tokens_per_second, and the start's prompt and cached tokens where the outcome has
  // none. Does not wake.
  void finish(Outcome outcome);
  // Calls every follower's wake, once each: with the list of followers locked, so that none is
  // called after its unfollow(), and the log not, so that it may be read.
  void wake();
  // 1 = next to start, 0 = not waiting. True when it changed.
  bool set_position(int position);

  // -- readers
  // From `offset` what is there, at most about `max_bytes` of text; ends with the last token whose
  // text is there, so count 0 means: nothing to show yet. Once the run has ended, trailing tokens
  // of empty text are part of the last slice. An offset past the end gives count 0.
  Slice read(std::size_t offset, std::size_t max_bytes) const;
  std::size_t tokens() const;
  // Bytes that the log takes in memory.
  std::size_t memory() const;
  // Bytes of text of each token in [first, first + count).
  std::vector<std::uint32_t> lengths(std::size_t first, std::size_t count) const;
  RunStatus status() const;
  int position() const;
  // Set once the run has ended.
  std::optional<Outcome> outcome() const;
  bool has_ended() const;
  // Ended as overloaded before the first token: as if it had never been asked for, and to be asked
  // for again under the same message_id.
  bool was_refused() const;
  std::string text() const;

  // `wake` is called from any thread and never after unfollow() returned. It must not block, and
  // may read this run, but neither follow() nor unfollow(): the list of followers is locked.
  std::uint64_t follow(std::function<void()> wake);
  // The followers that are left.
  std::size_t unfollow(std::uint64_t id);
  std::size_t followers() const;

 private:
  struct FollowerEntry {
    std::uint64_t id;
    std::function<void()> wake;
  };

  const RunInfo info_;
  mutable std::mutex mutex_;
  // Written under the mutex, read without: the worker asks every run at every turn.
  std::atomic<RunStatus> status_ = RunStatus::queued;
  std::atomic<std::size_t> tokens_ = 0;
  TokenLog log_;
  int position_ = 0;
  int prompt_tokens_ = 0;
  int cached_tokens_ = 0;
  SteadyTime first_token_{};
  SteadyTime last_token_{};
  std::optional<Outcome> outcome_;
  mutable std::mutex wake_mutex_;  // held while wakes run, so that unfollow() can promise silence
  std::uint64_t next_follower_ = 1;
  std::vector<FollowerEntry> followers_;  // few: mostly one
};

}  // namespace tars::chat

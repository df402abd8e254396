// The one thread that writes auth.db, many requests in one transaction.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "auth/ledger.h"
#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/error.h"

namespace tars::auth {

// One piece of work on the ledger. Both functions run on the writer thread. What `run`
// throws fails its transaction; the others must not throw.
struct LedgerTask {
  // What to do once the transaction that `run` was part of is on the disk.
  using Completion = std::function<void()>;
  std::function<Result<Completion>(Ledger&)> run;
  // The transaction failed, nothing of it happened. May be empty.
  std::function<void(const Error&)> failed;
  // Nobody waits for it, and what it writes was promised: refused while writes fail, and tried
  // again after it was part of a transaction that failed.
  bool is_promise = false;
};

// Owns the ledger and the thread. submit() and status() may be called from any thread. Urgent work
// is committed at once together with whatever waits (the flush of one transaction serves all);
// other work waits up to 100 ms for company. At most `capacity` tasks wait; a full queue refuses at
// once.
class LedgerThread {
 public:
  struct Settings {
    std::size_t capacity = 8192;
    std::chrono::seconds leeway{30};  // nothing is forgotten before it is past this too
  };

  // Loads the ledger once more; called on the writer thread.
  using Reopen = std::function<Result<Ledger>()>;
  // While there is no ledger every task is refused with the cause, and `reopen` is called every few
  // seconds: the disk may be full, or another program at work on the file.
  LedgerThread(Result<Ledger> ledger, Reopen reopen, Settings settings, DeadTokens& dead,
               const Clock& clock);
  LedgerThread(const LedgerThread&) = delete;
  LedgerThread& operator=(const LedgerThread&) = delete;
  ~LedgerThread() { shutdown(); }

  enum class Urgency { now, soon };
  // overloaded when the queue is full, draining after shutdown(), store_unavailable without a
  // ledger, and for a promise while the last write failed: `task` was dropped unrun.
  Result<void> submit(LedgerTask task, Urgency urgency);
  // store_unavailable with the cause from a write that failed until one succeeds, or while a task
  // has waited for more than 5 s: a disk that hangs fails nothing.
  Result<void> status() const;
  // Runs what waits, then joins. Not from the writer thread.
  void shutdown();

 private:
  using Batch = std::deque<LedgerTask>;

  void loop();
  Batch wait_for_batch();
  void run(Batch batch);
  void let_go_of_batch();
  struct Committed {
    std::vector<LedgerTask::Completion> completions;
    bool wrote = false;  // else it only read
  };
  Result<Committed> try_commit(Batch& batch);
  Result<Committed> commit(Batch& batch);
  void prune_when_due();
  void keep_promises(Batch& failed);
  bool promises_are_due() const;
  void run_promises();
  Result<void> probe();
  void probe_when_failing();
  void open_again();
  void note(const Result<void>& outcome);

  const Settings settings_;
  const Clock& clock_;
  DeadTokens& dead_;
  std::optional<Ledger> ledger_;
  const Reopen reopen_;
  // Forgetting by a clock that is ahead cannot be undone, so it waits until the clock has kept
  // pace.
  ClockWatch watch_;
  std::optional<SteadyTime> pruned_at_;
  Batch promises_;  // those of transactions that failed; at most settings_.capacity
  SteadyTime promises_at_{};  // when they are tried again where no pause comes before

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Batch waiting_;
  // When the oldest of them came, by steady time; the same for the batch that is being written.
  std::optional<SteadyTime> waiting_since_;
  std::optional<SteadyTime> in_hand_since_;
  bool urgent_ = false;
  bool closed_ = false;
  std::optional<store::FilePlace> place_;  // the ledger's; set once there is one
  std::optional<Error> failure_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace tars::auth

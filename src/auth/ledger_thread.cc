#include "auth/ledger_thread.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "telemetry/log.h"

namespace tars::auth {

namespace {

using namespace std::chrono_literals;

constexpr auto kCompanyWait = 100ms;
constexpr auto kIdleWait = 60s;  // then look whether pruning is due
constexpr auto kFailingWait = 2s;
constexpr auto kStuck = 5s;
constexpr auto kPromisesEvery = 1s;
constexpr auto kPruneEvery = 1h;
constexpr int kPruneRows = 5000;  // per transaction, so that requests do not wait long

// Every device is refused then, and nothing else says why.
void tell_of_jump(std::chrono::microseconds ahead) {
  if (std::chrono::abs(ahead) <= ClockWatch::kTolerance) return;
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(ahead)).count();
  telemetry::log(telemetry::LogLevel::warning,
                 ahead < ahead.zero()
                     ? "the clock was set back: tokens issued later than the time that it shows "
                       "are refused until it is right again"
                     : "the clock went ahead, it was set or the machine slept: tokens may have "
                       "expired",
                 {{"seconds", seconds}});
}

}  // namespace

LedgerThread::LedgerThread(Result<Ledger> ledger, Reopen reopen, Settings settings,
                           DeadTokens& dead, const Clock& clock)
    : settings_(settings),
      clock_(clock),
      dead_(dead),
      reopen_(std::move(reopen)),
      watch_(clock.wall(), clock.steady()) {
  if (ledger) {
    ledger_.emplace(*std::move(ledger));
    place_ = ledger_->place();
  } else {
    failure_ = std::move(ledger).error();
  }
  thread_ = std::thread([this] { loop(); });
}

Result<void> LedgerThread::submit(LedgerTask task, Urgency urgency) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return make_error(ErrorCode::draining, "the server is shutting down");
    if (failure_ && (task.is_promise || !place_)) return *failure_;
    if (waiting_.size() >= settings_.capacity) {
      return Error{.code = ErrorCode::overloaded,
                   .message = "too many token requests at once, try again later",
                   .retry_after = 1s};
    }
    waiting_.push_back(std::move(task));
    if (!waiting_since_) waiting_since_ = clock_.steady();
    // The first one starts the wait for company; later ones need no wake-up.
    wake = waiting_.size() == 1;
    if (!urgent_ && (urgency == Urgency::now || waiting_.size() * 2 >= settings_.capacity)) {
      urgent_ = wake = true;
    }
  }
  if (wake) wake_.notify_one();
  return {};
}

Result<void> LedgerThread::status() const {
  store::FilePlace place;
  {
    std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    const auto since = in_hand_since_ ? in_hand_since_ : waiting_since_;
    const auto waited = since ? clock_.steady() - *since : SteadyTime::duration::zero();
    if (waited > kStuck) {
      return make_error(
          ErrorCode::store_unavailable,
          "the disk with auth.db does not answer: a token request has waited " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waited).count()) +
              " s");
    }
    if (place_) place = *place_;
  }
  return place.check();
}

void LedgerThread::shutdown() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LedgerThread::loop() {
  if (ledger_) note(probe());
  prune_when_due();
  for (;;) {
    Batch batch = wait_for_batch();
    const bool idle = batch.empty();
    if (!idle) run(std::move(batch));
    prune_when_due();
    if (idle && !ledger_) open_again();
    if (idle || promises_are_due()) run_promises();
    if (idle) probe_when_failing();
    if (!idle) continue;
    std::lock_guard lock(mutex_);
    if (closed_ && waiting_.empty()) return;
  }
}

LedgerThread::Batch LedgerThread::wait_for_batch() {
  std::unique_lock lock(mutex_);
  std::chrono::milliseconds idle = kIdleWait;
  if (!promises_.empty()) idle = kCompanyWait;
  if (failure_) idle = kFailingWait;
  wake_.wait_for(lock, idle, [this] { return closed_ || !waiting_.empty(); });
  if (!waiting_.empty()) wake_.wait_for(lock, kCompanyWait, [this] { return closed_ || urgent_; });
  urgent_ = false;
  in_hand_since_ = std::exchange(waiting_since_, std::nullopt);
  return std::exchange(waiting_, {});
}

void LedgerThread::let_go_of_batch() {
  std::lock_guard lock(mutex_);
  in_hand_since_.reset();
}

void LedgerThread::run(Batch batch) {
  auto committed = try_commit(batch);
  let_go_of_batch();
  if (!committed) {
    note(committed.error());
    for (LedgerTask& task : batch) {
      if (task.failed) task.failed(committed.error());
    }
    keep_promises(batch);
    return;
  }
  if (committed->wrote) {
    note({});
  } else {
    probe_when_failing();  // a full disk can still be read
  }
  for (const auto& completion : committed->completions) {
    if (completion) completion();
  }
}

void LedgerThread::keep_promises(Batch& failed) {
  promises_at_ = clock_.steady() + kPromisesEvery;
  for (LedgerTask& task : failed) {
    if (task.is_promise && promises_.size() < settings_.capacity) {
      promises_.push_back(std::move(task));
    }
  }
}

// A load that never pauses is no reason to keep them waiting.
bool LedgerThread::promises_are_due() const { return clock_.steady() >= promises_at_; }

// In a transaction of their own: they never hold up others.
void LedgerThread::run_promises() {
  if (promises_.empty()) return;
  run(std::exchange(promises_, {}));
}

// Such as no memory: nothing of the transaction happened.
Result<LedgerThread::Committed> LedgerThread::try_commit(Batch& batch) {
  try {
    return commit(batch);
  } catch (const std::exception& fault) {
    return make_error(ErrorCode::store_unavailable, fault.what());
  }
}

Result<LedgerThread::Committed> LedgerThread::commit(Batch& batch) {
  std::vector<LedgerTask::Completion> completions;
  completions.reserve(batch.size());
  auto transaction = ledger_->transaction();
  if (!transaction) return transaction.error();
  const auto before = ledger_->rows_written();
  if (!before) return before.error();
  for (LedgerTask& task : batch) {
    auto completion = task.run(*ledger_);
    if (!completion) return completion.error();
    completions.push_back(std::move(*completion));
  }
  const auto after = ledger_->rows_written();
  if (!after) return after.error();
  if (auto done = transaction->commit(); !done) return done.error();
  return Committed{std::move(completions), *after != *before};
}

void LedgerThread::prune_when_due() {
  const WallTime wall = clock_.wall();
  const SteadyTime steady = clock_.steady();
  tell_of_jump(watch_.apart(wall, steady));
  const bool settled = watch_.has_settled(wall, steady);
  if (!ledger_ || !settled || (pruned_at_ && steady - *pruned_at_ < kPruneEvery)) return;
  const std::int64_t cutoff = unix_seconds(wall) - settings_.leeway.count();
  auto transaction = ledger_->transaction();
  if (!transaction) return note(transaction.error());
  auto pruned = ledger_->prune(cutoff, kPruneRows);
  if (!pruned) return note(pruned.error());
  if (auto done = transaction->commit(); !done) return note(done.error());
  dead_.prune(pruned->until);
  if (!pruned->more) pruned_at_ = steady;
}

Result<void> LedgerThread::probe() {
  auto transaction = ledger_->transaction();
  if (!transaction) return transaction.error();
  if (auto done = ledger_->probe(); !done) return done.error();
  return transaction->commit();
}

void LedgerThread::probe_when_failing() {
  if (ledger_ && !status() && probe()) note({});
}

// What failed at the start was logged there; a log line for each further try would fill a log.
void LedgerThread::open_again() {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
  }
  Result<Ledger> opened = reopen_();
  std::lock_guard lock(mutex_);
  if (!opened) {
    failure_ = std::move(opened).error();
    return;
  }
  ledger_.emplace(*std::move(opened));
  place_ = ledger_->place();
  failure_.reset();
  telemetry::log(telemetry::LogLevel::info, "revocations can be read: tokens are accepted again");
}

// Logs only what changes: a full disk would otherwise fill the log as well. A probe, or a row that
// changes, may find room where a promise does not: while one waits, writes do not succeed.
void LedgerThread::note(const Result<void>& outcome) {
  std::lock_guard lock(mutex_);
  if (outcome.has_error()) {
    if (!failure_) {
      telemetry::log(telemetry::LogLevel::error, "tokens cannot be stored",
                     {{"cause", outcome.error().message}});
    }
    failure_ = outcome.error();
  } else if (failure_ && promises_.empty()) {
    failure_.reset();
    telemetry::log(telemetry::LogLevel::info, "tokens can be stored again");
  }
}

}  // namespace tars::auth

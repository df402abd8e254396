#include "chat/store_writer.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "telemetry/log.h"

namespace tars::chat {
namespace {

constexpr std::size_t kBatchBytes = 256 * 1024;

bool has_news(const LiveRun& live, StoreWriter::Scope scope) {
  if (!live.stored.created || live.run->has_ended()) return true;
  return scope == StoreWriter::Scope::everything && live.stored.tokens != live.run->tokens();
}

}  // namespace

void StoreWriter::write(Scope scope) {
  read_again();
  if (retry_at_ && clock_.steady() < *retry_at_) return bound_backlog();
  // After trouble everything is owed, and only everything shows that it is over.
  write_now(retry_at_ ? Scope::everything : scope);
}

void StoreWriter::write_now(Scope scope) {
  const bool nothing_new =
      std::ranges::none_of(runs_, [&](const auto& run) { return has_news(*run, scope); });
  if (nothing_new && !retry_at_) return;
  std::size_t at = 0;
  auto written = try_write_all(scope, at);
  while (!written && written.error().code == ErrorCode::internal && at < runs_.size()) {
    // The database never takes this one; the others do not wait for it.
    telemetry::log(telemetry::LogLevel::error, "an answer was lost: it cannot be stored",
                   {{"run", runs_[at]->run->info().id}, {"error", written.error().message}});
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at));
    written = try_write_all(scope, at);
  }
  if (!written) {
    retry_at_ = clock_.steady() + kRetry;
    report(written.error().message);
    return bound_backlog();
  }
  for (std::size_t i = 0; i < runs_.size(); ++i) runs_[i]->stored = (*written)[i];
  std::erase_if(runs_, [](const auto& run) { return run->stored.ended; });
  retry_at_.reset();
  report({});
}

// No memory for a long answer's text is tried again, as a disk that is full is.
Result<std::vector<LiveRun::Stored>> StoreWriter::try_write_all(Scope scope, std::size_t& at) {
  try {
    return write_all(scope, at);
  } catch (const std::exception& fault) {
    return make_error(ErrorCode::store_unavailable, fault.what());
  }
}

Result<std::vector<LiveRun::Stored>> StoreWriter::write_all(Scope scope, std::size_t& at) {
  at = runs_.size();
  // SQLite would go on writing into a file that nobody finds any more.
  if (auto there = repository_.database().place().check(); !there) return there.error();
  auto transaction = store::Transaction::begin(repository_.database());
  if (!transaction) return transaction.error();
  if (retry_at_) {  // there may be nothing to write, which always succeeds
    if (auto done = repository_.probe(); !done) return done.error();
  }
  std::vector<LiveRun::Stored> written;
  for (const auto& run : runs_) {
    if (!has_news(*run, scope)) {
      written.push_back(run->stored);
      continue;
    }
    auto stored = write_run(*run);
    if (!stored) {
      at = written.size();
      return stored.error();
    }
    written.push_back(*stored);
  }
  if (auto done = transaction->commit(); !done) return done.error();
  return written;
}

Result<LiveRun::Stored> StoreWriter::write_run(const LiveRun& live) {
  const Run& run = *live.run;
  LiveRun::Stored stored = live.stored;
  // Once, and before the rest: no token follows it, and a run that is refused meanwhile is
  // forgotten by the next pass.
  const auto outcome = run.outcome();
  if (outcome && run.was_refused()) {
    if (stored.created) {
      if (auto done = repository_.forget_run(run.info()); !done) return done.error();
    }
    stored.ended = true;
    return stored;
  }
  if (!stored.created) {
    // An id that was made here is of no other run.
    if (live.request.message_id) {
      if (auto done = forget_leftover(run.info()); !done) return done.error();
    }
    auto done = repository_.create_run(run.info(), live.request.content, live.content_hash);
    if (!done) return done.error();
    stored.created = true;
  }
  for (Slice slice = run.read(stored.tokens, kBatchBytes); slice.count > 0;
       slice = run.read(stored.tokens, kBatchBytes)) {
    auto done = repository_.append_log(run.info().id, slice, run.lengths(slice.first, slice.count));
    if (!done) return done.error();
    stored.tokens += slice.count;
  }
  if (outcome) {
    auto done =
        repository_.finish_run(run.info(), *outcome, run.tokens(), run.text(), clock_.wall());
    if (!done) return done.error();
    stored.ended = true;
  }
  return stored;
}

// A message is asked for again only after its run was refused. Where that could not be written, the
// refused run's row is still there.
Result<void> StoreWriter::forget_leftover(const RunInfo& info) {
  auto found = repository_.find_message(info.client_id, info.message_id);
  if (!found) return found.error();
  return *found ? repository_.forget_run((*found)->info) : Result<void>{};
}

std::optional<SteadyTime> StoreWriter::retry_at() const {
  if (!unread_) return retry_at_;
  return std::min(retry_at_.value_or(SteadyTime::max()), reread_at_);
}

void StoreWriter::read_failed(const Error& error, std::function<Result<void>()> again) {
  if (unread_) return;
  unread_ = std::move(again);
  reread_at_ = clock_.steady() + kRetry;
  report_read(error.message);
}

void StoreWriter::read_again() {
  if (!unread_ || clock_.steady() < reread_at_) return;
  reread_at_ = clock_.steady() + kRetry;
  if (auto read = unread_(); !read) return report_read(read.error().message);
  unread_ = nullptr;
  report_read({});
}

// Logs only the first and the last of a row of failures.
void StoreWriter::report_read(std::string trouble) {
  std::lock_guard lock(mutex_);
  if (read_trouble_.empty() && !trouble.empty()) {
    telemetry::log(telemetry::LogLevel::error, "the store of conversations cannot be read",
                   {{"error", trouble}});
  } else if (trouble.empty()) {
    telemetry::log(telemetry::LogLevel::info, "the store of conversations can be read again");
  }
  read_trouble_ = std::move(trouble);
}

std::vector<std::shared_ptr<LiveRun>> StoreWriter::unsaved(std::string_view client_id,
                                                           std::string_view conversation_id) const {
  std::vector<std::shared_ptr<LiveRun>> found;
  for (const auto& run : runs_) {
    const RunInfo& info = run->run->info();
    if (info.client_id == client_id && info.conversation_id == conversation_id &&
        run->run->outcome() && !run->run->read(0, 1).text.empty()) {
      found.push_back(run);
    }
  }
  return found;
}

// The youngest: a message that was refused and sent again stands here twice.
std::shared_ptr<LiveRun> StoreWriter::find_message(std::string_view client_id,
                                                   std::string_view message_id) const {
  const auto found = std::find_if(runs_.rbegin(), runs_.rend(), [&](const auto& run) {
    const RunInfo& info = run->run->info();
    return info.client_id == client_id && info.message_id == message_id;
  });
  return found == runs_.rend() ? nullptr : *found;
}

std::shared_ptr<LiveRun> StoreWriter::find(std::string_view client_id,
                                           std::string_view run_id) const {
  const auto found = std::ranges::find_if(runs_, [&](const auto& run) {
    return run->run->info().client_id == client_id && run->run->info().id == run_id;
  });
  return found == runs_.end() ? nullptr : *found;
}

void StoreWriter::bound_backlog() {
  const auto end_of = [](const auto& run) {
    const auto outcome = run->run->outcome();
    return outcome ? run->run->info().submitted_at +
                         std::chrono::duration_cast<SteadyTime::duration>(
                             std::chrono::duration<double, std::milli>(outcome->latency_ms))
                   : SteadyTime::max();
  };
  auto ended = static_cast<std::size_t>(
      std::ranges::count_if(runs_, [](const auto& run) { return run->run->has_ended(); }));
  std::size_t dropped = 0;
  while (ended > max_backlog_) {
    runs_.erase(std::ranges::min_element(runs_, {}, end_of));
    --ended;
    ++dropped;
  }
  if (dropped > 0) {
    telemetry::log(telemetry::LogLevel::error, "answers lost: the store cannot be written",
                   {{"runs", dropped}});
  }
}

void StoreWriter::report(std::string trouble) {
  std::function<void(const std::string&)> listener;
  {
    std::lock_guard lock(mutex_);
    if (trouble_ == trouble) return;
    trouble_ = trouble;
    listener = listener_;
  }
  if (trouble.empty()) {
    telemetry::log(telemetry::LogLevel::info, "the store of conversations can be written again");
  } else {
    telemetry::log(telemetry::LogLevel::error, "the store of conversations cannot be written",
                   {{"error", trouble}});
  }
  if (listener) listener(trouble);
}

std::string StoreWriter::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_.empty() ? read_trouble_ : trouble_;
}

void StoreWriter::set_listener(std::function<void(const std::string&)> listener) {
  std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace tars::chat

#include <algorithm>
#include <exception>
#include <utility>

#include "chat/chat_engine.h"
#include "chat/generation_sink.h"
#include "chat/run_follower.h"
#include "chat/stored_words.h"
#include "telemetry/log.h"

namespace tars::chat {
namespace {

constexpr std::chrono::minutes kPruneEvery{10};
// Few at once and with a pause: each chat waits for the worker meanwhile, and a server that was off
// for a while finds thousands to prune.
constexpr std::size_t kPruneAtOnce = 20;
constexpr std::chrono::milliseconds kPrunePause{100};
// A model that does not answer a stop by then is left alone: its run ends as failed.
constexpr std::chrono::seconds kStopPatience{10};
// How long a store that cannot be written is tried at the end.
constexpr std::chrono::milliseconds kLastWrites{3000};

}  // namespace

void ChatEngine::work() {
  round_began_ = clock_.steady();
  prune();
  while (true) {
    round_began_ = SteadyTime::max();
    Mailbox::Work work = mailbox_->take(patience());
    round_began_ = clock_.steady();
    for (const auto& run : work.ended) reap(*run);
    start_waiting();  // before a newcomer takes the place
    const bool draining = draining_;  // from here on no chat is taken on
    if (work.command) carry_out(*work.command);
    if (draining_) leave_no_run();
    if (work.nudged || clock_.steady() >= abandoned_at_) stop_abandoned();
    start_waiting();
    update_positions();
    if (draining) drain_seen_ = true;
    flush();
    prune();
    if (stopping_ && active_.empty()) break;
  }
  write_last();
  answer_stored();
  for (Command& command : mailbox_->close()) {
    std::visit([](auto& left) { left.done(shutting_down()); }, command);
  }
}

// A fault, such as no memory for what the client asks, costs this command and not the process.
void ChatEngine::carry_out(Command& command) {
  try {
    std::visit([this](auto& known) { handle(known); }, command);
  } catch (const std::exception& fault) {
    telemetry::log(telemetry::LogLevel::error, "a command failed", {{"what", fault.what()}});
    std::visit([](auto& failed) { failed.done(server_failed()); }, command);
  }
}

std::chrono::steady_clock::duration ChatEngine::patience() const {
  SteadyTime next = prune_at_;
  if (queue_.running() > 0) next = std::min(next, flush_at_);
  if (const auto retry = writer_.retry_at()) next = std::min(next, *retry);
  if (has_news_) next = std::min(next, news_at_);
  for (const auto& [lane, until] : holds_) next = std::min(next, until);
  next = std::min({next, stop_deadline_, abandoned_at_});
  return std::max(next - clock_.steady(), SteadyTime::duration::zero());
}

void ChatEngine::reap(const LiveRun& live) {
  const RunInfo& info = live.run->info();
  const auto outcome = live.run->outcome();
  if (!outcome || active_.erase(info.id) == 0) return;
  queue_.remove(info.id);
  if (live.run->was_refused()) {
    registry_.remove(live);
  } else {
    registry_.ended(live);
  }
  holds_.clear();
  metrics_.count_run(to_word(outcome->status));
  metrics_.tokens_prompt.Increment(outcome->prompt_tokens);
  metrics_.tokens_cached.Increment(outcome->cached_tokens);
  metrics_.tokens_generated.Increment(static_cast<double>(live.run->tokens()));
  if (outcome->cached_tokens > 0) metrics_.prefix_hits.Increment();
  if (outcome->error) {
    telemetry::log(telemetry::LogLevel::warning, "a run failed",
                   {{"run", info.id}, {"error", for_log(*outcome->error)}});
  }
  has_news_ = true;
}

void ChatEngine::stop_abandoned() {
  const SteadyTime now = clock_.steady();
  abandoned_at_ = SteadyTime::max();
  for (const auto& [id, run] : active_) {
    const auto until = run->abandoned_until();
    if (!until) continue;
    if (*until > now) {
      abandoned_at_ = std::min(abandoned_at_, *until);
      continue;
    }
    run->adopt();  // asked once
    if (run->run->followers() == 0) stop_run(run, *mailbox_, clock_);
  }
}

void ChatEngine::start_waiting() {
  std::erase_if(holds_, [now = clock_.steady()](const auto& hold) { return hold.second <= now; });
  while (queue_.waiting() > 0) {
    const auto id = queue_.next([this](const std::string& lane) { return room(lane); });
    if (!id) return;
    const auto run = active_.at(*id);
    auto started = start(run);
    if (started) continue;
    if (started.error().code == ErrorCode::overloaded) {
      queue_.put_back(*id);
      if (run->put_back(clock_)) {
        hold(backend_.lane(run->request.model));
        continue;
      }
    } else {
      run->end(failed_outcome(std::move(started).error()), clock_);
    }
    reap(*run);
    run->run->wake();
  }
}

void ChatEngine::update_positions() {
  if (std::exchange(positions_of_, queue_.changes()) == queue_.changes()) return;
  running_ = queue_.running();
  waiting_ = queue_.waiting();
  metrics_.runs_running.Set(static_cast<double>(queue_.running()));
  metrics_.runs_waiting.Set(static_cast<double>(queue_.waiting()));
  int position = 0;
  for (const std::string& id : queue_.order()) {
    const auto& run = active_.at(id)->run;
    if (run->set_position(++position)) run->wake();
  }
}

void ChatEngine::flush() {
  const SteadyTime now = clock_.steady();
  const auto retry = writer_.retry_at();
  if (now >= flush_at_ || (retry && *retry <= now)) {
    writer_.write();
    flush_at_ = now + options_.flush_interval;
  } else if (has_news_ && now >= news_at_) {
    writer_.write(StoreWriter::Scope::beginnings_and_ends);
  } else if (has_news_) {
    return;
  }
  if (has_news_) news_at_ = now + options_.commit_interval;
  has_news_ = false;
  answer_stored();
}

void ChatEngine::answer_stored() {
  for (Unanswered& submit : std::exchange(unanswered_, {})) {
    SubmitCommand& command = submit.command;
    command.done(attach(std::move(submit.run), std::move(command.wake)));
  }
}

// What is not stored when the process ends is lost.
void ChatEngine::write_last() {
  const SteadyTime until = clock_.steady() + kLastWrites;
  writer_.write_now();
  while (writer_.backlog() > 0 && clock_.steady() < until) {
    std::this_thread::sleep_for(kLastWrites / 20);
    writer_.write_now();
  }
  if (writer_.backlog() == 0) return;
  telemetry::log(telemetry::LogLevel::error, "answers lost: the store cannot be written",
                 {{"runs", writer_.backlog()}, {"error", writer_.trouble()}});
  last_writes_ = make_error(ErrorCode::store_unavailable,
                            "answers are lost, " + std::to_string(writer_.backlog()) +
                                " of them: the store cannot be written: " + writer_.trouble());
}

void ChatEngine::prune() {
  if (clock_.steady() < prune_at_) return;
  prune_at_ = clock_.steady() + kPruneEvery;
  if (!watch_.has_settled(clock_.wall(), clock_.steady())) return;
  const Result<std::size_t> pruned = prune_some();
  if (!pruned) {
    // Every ten minutes: without it the file grows for ever.
    telemetry::log(telemetry::LogLevel::warning, "the logs of old answers cannot be deleted",
                   {{"error", pruned.error().message}});
  } else if (*pruned == kPruneAtOnce) {
    prune_at_ = clock_.steady() + kPrunePause;
  }
}

Result<std::size_t> ChatEngine::prune_some() {
  auto transaction = store::Transaction::begin(repository_.database());
  if (!transaction) return transaction.error();
  auto pruned = repository_.prune_logs(clock_.wall() - options_.retention, kPruneAtOnce);
  if (!pruned) return pruned;
  if (auto done = transaction->commit(); !done) return done.error();
  return pruned;
}

void ChatEngine::leave_no_run() {
  for (const std::string& id : queue_.order()) stop_run(active_.at(id), *mailbox_, clock_);
  if (!stopping_) return;
  const SteadyTime now = clock_.steady();
  if (stop_deadline_ == SteadyTime::max()) stop_deadline_ = now + kStopPatience;
  const auto active = active_;  // reap() takes them out
  for (const auto& [id, run] : active) {
    stop_run(run, *mailbox_, clock_);
    if (now < stop_deadline_) continue;
    run->end(
        failed_outcome(make_error(ErrorCode::generation_error, "the model did not stop in time")),
        clock_);
    run->run->wake();
    reap(*run);
  }
}

}  // namespace tars::chat

#include "chat/engine.h"

#include <utility>

#include "chat/chat_engine.h"
#include "chat/recovery.h"
#include "chat/run_follower.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace tars::chat {
namespace {

// More than any burst of sockets sends before the worker has looked at it once.
constexpr std::size_t kMaxCommands = 1024;
// A round of the worker takes milliseconds, and a lock of another program 200 of them: what takes
// longer waits for the disk.
constexpr std::chrono::seconds kStuck{5};

Error too_many_commands(bool draining) {
  if (draining) return shutting_down();
  Error error = make_error(ErrorCode::overloaded, "too many requests at once: try again");
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

Error shutting_down() {
  return make_error(ErrorCode::draining, "the server is shutting down: connect again soon");
}

Error server_failed() {
  return make_error(ErrorCode::internal, "the server failed, and its log says why; try again");
}

Result<std::unique_ptr<Engine>> Engine::open(const std::filesystem::path& database, Options options,
                                             llm::Backend& backend, const Clock& clock,
                                             telemetry::Metrics& metrics) {
  auto repository = Repository::open(database);
  if (!repository) return repository.error();
  auto recovered = recover_runs(*repository, clock);
  if (!recovered) return recovered.error();
  if (*recovered > 0) {
    telemetry::log(telemetry::LogLevel::warning, "runs were cut by the last stop",
                   {{"runs", *recovered}});
  }
  for (std::size_t i = 0; i < *recovered; ++i) metrics.count_run("interrupted");
  return std::unique_ptr<Engine>(std::make_unique<ChatEngine>(
      *std::move(repository), std::move(options), backend, clock, metrics));
}

ChatEngine::ChatEngine(Repository repository, Options options, llm::Backend& backend,
                       const Clock& clock, telemetry::Metrics& metrics)
    : options_(std::move(options)),
      backend_(backend),
      clock_(clock),
      metrics_(metrics),
      registry_(options_.max_ended_runs_in_memory, options_.max_ended_bytes_in_memory),
      mailbox_(std::make_shared<Mailbox>(kMaxCommands)),
      repository_(std::move(repository)),
      place_(repository_.database().place()),
      writer_(repository_, clock, options_.max_ended_runs_in_memory),
      queue_({.running_per_client = options_.running_per_client,
              .waiting_per_client = options_.waiting_per_client,
              .waiting_total = options_.waiting_total}),
      watch_(clock.wall(), clock.steady()),
      worker_([this] { work(); }) {}

ChatEngine::~ChatEngine() { (void)ChatEngine::shutdown(); }

void ChatEngine::submit(ChatRequest request, std::function<void()> wake, FollowDone done) {
  Command command = SubmitCommand{std::move(request), std::move(wake), std::move(done)};
  if (mailbox_->push(command)) return;
  metrics_.count_run("refused");
  std::get<SubmitCommand>(command).done(too_many_commands(draining_));
}

void ChatEngine::follow(std::string client_id, RunName run, std::function<void()> wake,
                        FollowDone done) {
  Command command =
      FollowCommand{std::move(client_id), std::move(run), std::move(wake), std::move(done)};
  if (!mailbox_->push(command)) std::get<FollowCommand>(command).done(too_many_commands(draining_));
}

void ChatEngine::cancel(std::string client_id, CancelTarget target,
                        std::function<void(Result<void>)> done) {
  // At once for what is there; again in its turn for what an earlier submit has yet to begin.
  for (const auto& run : registry_.match(client_id, target)) stop_run(run, *mailbox_, clock_);
  Command command = CancelCommand{std::move(client_id), std::move(target), std::move(done)};
  if (!mailbox_->push(command)) std::get<CancelCommand>(command).done(too_many_commands(draining_));
}

void ChatEngine::revoke(std::string_view client_id, std::string_view family,
                        std::string_view token_id) {
  // First what the worker has yet to register, so that nothing slips in between.
  mailbox_->revoke(client_id, family, token_id);
  for (const auto& run : registry_.begun_by(client_id, family, token_id)) {
    stop_run(run, *mailbox_, clock_);
  }
}

Counts ChatEngine::counts() const { return {.running = running_, .waiting = waiting_}; }

void ChatEngine::set_store_listener(std::function<void(const std::string& trouble)> listener) {
  writer_.set_listener(std::move(listener));
}

Result<void> ChatEngine::check_store() const {
  const SteadyTime began = round_began_;
  const auto waited = clock_.steady() - began;
  // First: to ask such a disk for the file's place would hang, too.
  if (began != SteadyTime::max() && waited > kStuck) {
    return make_error(
        ErrorCode::store_unavailable,
        "the disk with chat.db does not answer: chats have waited " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waited).count()) +
            " s");
  }
  std::string trouble = writer_.trouble();
  if (trouble.empty()) return place_.check();
  return make_error(ErrorCode::store_unavailable, std::move(trouble));
}

void ChatEngine::drain() {
  draining_ = true;
  mailbox_->nudge();
}

bool ChatEngine::is_drained() const { return drain_seen_ && running_ == 0 && waiting_ == 0; }

Result<void> ChatEngine::shutdown() {
  draining_ = true;
  stopping_ = true;
  for (const auto& run : registry_.active()) stop_run(run, *mailbox_, clock_);
  mailbox_->nudge();
  std::call_once(joined_, [this] { worker_.join(); });
  return last_writes_;
}

}  // namespace tars::chat

#include <algorithm>
#include <exception>
#include <utility>

#include "base/ids.h"
#include "base/sha256.h"
#include "chat/chat_engine.h"
#include "chat/client_key.h"
#include "chat/generation_sink.h"
#include "chat/recovery.h"
#include "chat/run_follower.h"
#include "llm/prompt_fit.h"
#include "telemetry/log.h"

namespace tars::chat {
namespace {

constexpr int kAssumedContext = 16384;
constexpr std::chrono::seconds kRetryAfter{5};

Error overloaded(std::string message) {
  Error error = make_error(ErrorCode::overloaded, std::move(message));
  error.retry_after = kRetryAfter;
  return error;
}

Error unknown_run() {
  return make_error(ErrorCode::run_not_found,
                    "there is no such run: its id is wrong, or it is gone");
}

// Does `read`, and leaves it with the writer where the store cannot be read.
template <class Read>
auto watched(StoreWriter& writer, Read read) {
  auto found = read();
  if (!found && found.error().code == ErrorCode::store_unavailable) {
    writer.read_failed(found.error(), [read]() -> Result<void> {
      if (auto again = read(); !again) return again.error();
      return {};
    });
  }
  return found;
}

}  // namespace

RunQueue::LaneRoom ChatEngine::room(const std::string& lane) {
  const auto held = holds_.find(lane);
  if (held != holds_.end() && clock_.steady() < held->second) return {};
  if (backend_.is_loading(lane)) {
    hold(lane);
    return {};
  }
  return {.runs = std::max(1, backend_.slots(lane)), .pauses = backend_.pauses(lane)};
}

std::unique_ptr<Follower> ChatEngine::attach(std::shared_ptr<LiveRun> run,
                                             std::function<void()> wake) {
  return std::make_unique<RunFollower>(std::move(run), mailbox_, clock_, options_.grace,
                                       std::move(wake));
}

void ChatEngine::handle(SubmitCommand& command) {
  const ChatRequest& request = command.request;
  if (request.message_id) {
    auto known = find_message(request.client_id, *request.message_id);
    if (!known) return command.done(std::move(known).error());
    if (*known) {
      if ((*known)->content_hash == sha256_hex(request.content)) {
        return answer_once_stored(*std::move(known), command);
      }
      return command.done(make_error(ErrorCode::invalid_message,
                                     "message_id was used with another content: send a new one"));
    }
  }
  auto run = accept(std::move(command.request));
  if (!run) {
    metrics_.count_run("refused");
    return command.done(std::move(run).error());
  }
  has_news_ = true;
  answer_once_stored(*std::move(run), command);
}

void ChatEngine::answer_once_stored(std::shared_ptr<LiveRun> run, SubmitCommand& command) {
  Unanswered& last = unanswered_.emplace_back();  // may fail, and the command is still whole
  last.run = std::move(run);
  last.command = std::move(command);
}

Result<std::shared_ptr<LiveRun>> ChatEngine::accept(ChatRequest request) {
  if (draining_) return shutting_down();
  RunInfo info;
  info.id = make_id("run");
  info.client_id = request.client_id;
  info.conversation_id = request.conversation_id ? *request.conversation_id : make_id("conv");
  info.message_id = request.message_id ? *request.message_id : make_id("msg");
  info.model = backend_.resolve(request.model);
  info.created_at = clock_.wall();
  info.submitted_at = clock_.steady();
  info.token_id = request.token_id;
  auto run = std::make_shared<LiveRun>(std::move(info), std::move(request));
  try {
    if (auto admitted = admit(run); !admitted) return std::move(admitted).error();
    writer_.track(run);
  } catch (const std::exception&) {
    forget(*run);
    throw;
  }
  if (mailbox_->in_hand_revoked()) stop_run(run, *mailbox_, clock_);
  return run;
}

Result<void> ChatEngine::admit(const std::shared_ptr<LiveRun>& run) {
  const RunInfo& info = run->run->info();
  const std::string lane = backend_.lane(run->request.model);
  const auto admission = queue_.admit({.run = info.id,
                                       .client = info.client_id,
                                       .conversation = info.conversation_id,
                                       .lane = lane},
                                      [this](const std::string& of) { return room(of); });
  if (admission == RunQueue::Admission::client_full) {
    return overloaded("too many answers of yours are waiting: let one of them end first");
  }
  if (admission == RunQueue::Admission::total_full) {
    return overloaded("the server has too many answers waiting: try again later");
  }
  active_.emplace(info.id, run);
  registry_.add(run);
  if (admission == RunQueue::Admission::waiting) return {};
  auto started = start(run);
  if (started) return {};
  if (started.error().code == ErrorCode::overloaded) {
    queue_.put_back(info.id);
    hold(lane);
    if (!run->put_back(clock_)) mailbox_->ended(run);
    return {};
  }
  // A run that failed at its beginning, like one that had to wait for it: the same message_id finds
  // the failure, whatever the load was.
  run->end(failed_outcome(std::move(started).error()), clock_);
  mailbox_->ended(run);
  return {};
}

// One that could not be taken on: as if it had never been asked for.
void ChatEngine::forget(LiveRun& run) {
  run.stop(clock_);  // the model may have it
  const std::string& id = run.run->info().id;
  queue_.remove(id);
  active_.erase(id);
  registry_.remove(run);
}

// A long history is what the memory may be too small for: its run fails then, like others whose
// beginning fails.
Result<void> ChatEngine::start(const std::shared_ptr<LiveRun>& run) {
  if (!run->begin()) return {};  // stopped: the mailbox says so
  try {
    return generate(run);
  } catch (const std::exception& fault) {
    round_began_ = clock_.steady();
    telemetry::log(telemetry::LogLevel::error, "a run could not be started",
                   {{"run", run->run->info().id}, {"what", fault.what()}});
    return server_failed();
  }
}

Result<void> ChatEngine::generate(const std::shared_ptr<LiveRun>& run) {
  auto request = prompt(*run);
  if (!request) return std::move(request).error();
  auto sink = std::make_shared<GenerationSink>(run, mailbox_, clock_, metrics_);
  // To fit a long history into the model's context takes its time, and says nothing of the store.
  round_began_ = SteadyTime::max();
  auto accepted = backend_.generate(*std::move(request), std::move(sink), run->stop_token());
  round_began_ = clock_.steady();
  if (!accepted) return accepted;
  run->run->set_position(0);  // only now: one that goes back keeps its place
  const auto waited = clock_.steady() - run->run->info().submitted_at;
  metrics_.queue_wait.Observe(std::chrono::duration<double>(waited).count());
  return {};
}

Result<llm::Request> ChatEngine::prompt(const LiveRun& live) {
  const RunInfo& info = live.run->info();
  llm::Request request;
  request.run_id = info.id;
  request.client = info.client_id;
  request.cache_key = client_key(info.client_id, info.conversation_id);
  request.model = live.request.model;
  request.sampling = live.request.sampling;
  request.traceparent = live.request.traceparent;
  if (!options_.system_prompt.empty()) {
    request.messages.push_back({llm::Role::system, options_.system_prompt});
  }
  const int context = backend_.context_length(backend_.lane(request.model));
  // The model trims the rest.
  const auto max_bytes =
      static_cast<std::size_t>(context > 0 ? context : kAssumedContext) * llm::kMaxBytesPerToken;
  auto turns = watched(
      writer_, [this, max_bytes, client = info.client_id, conversation = info.conversation_id] {
        return repository_.history(client, conversation, max_bytes);
      });
  if (!turns) return std::move(turns).error();
  for (Turn& turn : *turns) {
    request.messages.push_back({llm::Role::user, std::move(turn.user)});
    request.messages.push_back({llm::Role::assistant, std::move(turn.assistant)});
  }
  for (const auto& unsaved : writer_.unsaved(info.client_id, info.conversation_id)) {
    request.messages.push_back({llm::Role::user, unsaved->request.content});
    request.messages.push_back({llm::Role::assistant, unsaved->run->text()});
  }
  request.messages.push_back({llm::Role::user, live.request.content});
  return request;
}

void ChatEngine::handle(FollowCommand& command) {
  const RunName& name = command.run;
  auto run = name.run_id ? find_run(command.client_id, *name.run_id)
                         : find_message(command.client_id, name.message_id.value_or(""));
  if (!run) return command.done(std::move(run).error());
  if (!*run) return command.done(unknown_run());
  command.done(attach(*std::move(run), std::move(command.wake)));
}

void ChatEngine::handle(CancelCommand& command) {
  const auto matched = registry_.match(command.client_id, command.target);
  for (const auto& run : matched) stop_run(run, *mailbox_, clock_);
  if (!matched.empty() || command.target.conversation_id) return command.done({});
  auto known = command.target.run_id
                   ? stored_run(command.client_id, *command.target.run_id)
                   : stored_message(command.client_id, command.target.message_id.value_or(""));
  if (!known) return command.done(std::move(known).error());
  if (!*known) return command.done(unknown_run());
  command.done({});
}

Result<std::shared_ptr<LiveRun>> ChatEngine::find_message(const std::string& client_id,
                                                          const std::string& message_id) {
  if (auto run = registry_.find_message(client_id, message_id)) return run;
  if (auto unsaved = writer_.find_message(client_id, message_id)) {
    return unsaved->run->was_refused() ? nullptr : unsaved;
  }
  return restore(stored_message(client_id, message_id));
}

Result<std::shared_ptr<LiveRun>> ChatEngine::find_run(const std::string& client_id,
                                                      const std::string& run_id) {
  if (auto run = registry_.find(client_id, run_id)) return run;
  if (auto unsaved = writer_.find(client_id, run_id)) {
    return unsaved->run->was_refused() ? nullptr : unsaved;
  }
  return restore(stored_run(client_id, run_id));
}

Result<std::optional<StoredRun>> ChatEngine::stored_run(const std::string& client_id,
                                                        const std::string& run_id) {
  return watched(writer_,
                 [this, client_id, run_id] { return repository_.find_run(client_id, run_id); });
}

Result<std::optional<StoredRun>> ChatEngine::stored_message(const std::string& client_id,
                                                            const std::string& message_id) {
  return watched(writer_, [this, client_id, message_id] {
    return repository_.find_message(client_id, message_id);
  });
}

// Null when the store has none.
Result<std::shared_ptr<LiveRun>> ChatEngine::restore(Result<std::optional<StoredRun>> stored) {
  if (!stored) return std::move(stored).error();
  if (!*stored) return std::shared_ptr<LiveRun>();
  std::erase_if(restored_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = restored_[(*stored)->info.id];
  if (auto shared = known.lock()) return shared;
  auto run = watched(writer_, [this, found = **std::move(stored)] {
    return restore_run(repository_, found, options_.retention, clock_.wall());
  });
  if (run) known = *run;
  return run;
}

}  // namespace tars::chat

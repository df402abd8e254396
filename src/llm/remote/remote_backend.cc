#include "llm/remote/remote_backend.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "llm/remote/host_check.h"
#include "llm/remote/host_set.h"
#include "llm/remote/ollama_dialect.h"
#include "llm/remote/openai_dialect.h"
#include "llm/remote/remote_run.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

namespace asio = boost::asio;

// Done by a handler of a context, or by whoever destroys the context before the handler's turn
// came: what is left behind would be destroyed after the context that it needs.
class AtLatestWithContext {
 public:
  explicit AtLatestWithContext(std::function<void()> act) : act_(std::move(act)) {}
  AtLatestWithContext(AtLatestWithContext&& other) noexcept
      : act_(std::exchange(other.act_, nullptr)) {}
  AtLatestWithContext& operator=(AtLatestWithContext&&) = delete;
  ~AtLatestWithContext() {
    if (act_) act_();
  }

 private:
  std::function<void()> act_;
};

}  // namespace

// One thread's connections.
struct Lane {
  Lane(asio::io_context& c, net::ClientOptions options)
      : context(c), client(c, std::move(options)) {}
  asio::io_context& context;
  net::HttpClient client;
};

struct RemoteBackend::State : std::enable_shared_from_this<State> {
  State(RemoteOptions o, std::unique_ptr<Dialect> d, const Clock& c)
      : options(std::move(o)), dialect(std::move(d)), hosts(options.hosts), clock(c) {}

  const RemoteOptions options;
  const std::unique_ptr<Dialect> dialect;
  HostSet hosts;
  const Clock& clock;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Lane>> lanes;
  std::size_t next_lane = 0;
  std::shared_ptr<HostCheck> check;
  std::unordered_set<std::shared_ptr<RemoteRun>> runs;
  int running = 0;  // without those that have said their last
  bool closing = false;
  mutable std::string chosen;  // the default where none is configured

  RemoteParts parts() { return {options, *dialect, hosts, clock}; }

  std::string model_for(const Request& request) const {
    if (!request.model.empty()) return request.model;
    if (!options.model.empty()) return options.model;
    const auto models = hosts.models();
    if (models.empty()) return {};
    // Servers list what was added last first: that is not to change who answers.
    std::lock_guard lock(mutex);
    if (!is_among(models, chosen)) chosen = models.front();
    return chosen;
  }

  // True, too, where no list is known.
  bool is_listed(const std::string& model) const {
    const auto models = hosts.models();
    return models.empty() || is_among(models, model);
  }

  Result<std::shared_ptr<Lane>> reserve() {
    std::lock_guard lock(mutex);
    if (closing || lanes.empty()) {
      return make_error(ErrorCode::backend_unavailable, "the server is shutting down");
    }
    if (running >= options.slots) {
      return Error{ErrorCode::overloaded,
                   "too many answers at once; try again soon",
                   {},
                   std::chrono::seconds(2)};
    }
    ++running;
    return lanes[next_lane++ % lanes.size()];
  }

  void release() {
    std::lock_guard lock(mutex);
    --running;
  }

  // What waits for its first token there is asked elsewhere, where that can be.
  void leave(std::size_t host) {
    std::lock_guard lock(mutex);
    for (const auto& run : runs) {
      asio::post(run->context(), [run, host] { run->leave(host); });
    }
  }

  void forget(const std::shared_ptr<RemoteRun>& run) {
    std::lock_guard lock(mutex);
    runs.erase(run);
    if (runs.empty()) changed.notify_all();
  }
};

RemoteBackend::RemoteBackend(RemoteOptions options, std::unique_ptr<Dialect> dialect,
                             const Clock& clock)
    : state_(std::make_shared<State>(std::move(options), std::move(dialect), clock)) {}

RemoteBackend::~RemoteBackend() { RemoteBackend::shutdown(); }

void RemoteBackend::start(const std::vector<asio::io_context*>& contexts) {
  const net::ClientOptions client{.connect_timeout = state_->options.connect_timeout,
                                  .ca_file = state_->options.ca_file,
                                  .names = std::make_shared<net::HostNames>()};
  std::lock_guard lock(state_->mutex);
  for (asio::io_context* context : contexts) {
    state_->lanes.push_back(std::make_shared<Lane>(*context, client));
  }
  Lane& first = *state_->lanes.front();
  state_->check =
      std::make_shared<HostCheck>(state_->parts(), first.client, first.context,
                                  // Owned by the state.
                                  [state = state_.get()](std::size_t host) { state->leave(host); });
  for (std::size_t host = 0; host < state_->hosts.size(); ++host) {
    // State and lane live as long as the coroutine, which uses them, and which logs its faults.
    asio::co_spawn(first.context, state_->check->watch(host),
                   [state = state_, lane = state_->lanes.front()](const std::exception_ptr&) {});
  }
}

Status RemoteBackend::status() const {
  Status out;
  out.health = state_->hosts.health();
  out.detail = state_->hosts.trouble();
  if (out.health == Health::starting) out.detail = "no model server has answered yet";
  out.model = state_->model_for({});
  if (out.health == Health::healthy && out.detail.empty() && !state_->is_listed(out.model)) {
    out.detail = "the server does not list " + out.model;
  }
  // Some have no list, and a wrong path has none either.
  if (out.health == Health::healthy && out.detail.empty() && state_->hosts.models().empty()) {
    out.detail = "the server lists no models; where chats fail, check the address and its path";
  }
  out.context_length = state_->options.context_length;
  out.slots = state_->options.slots;
  std::lock_guard lock(state_->mutex);
  out.running = state_->running;
  return out;
}

std::vector<std::string> RemoteBackend::models(const std::string& /*lane*/,
                                               std::size_t most) const {
  std::vector<std::string> out = state_->hosts.models();
  const std::string usual = state_->model_for({});
  if (!usual.empty() && !is_among(out, usual)) out.insert(out.begin(), usual);
  out.resize(std::min(out.size(), most));
  return out;
}

int RemoteBackend::slots(const std::string& /*lane*/) const { return state_->options.slots; }

int RemoteBackend::context_length(const std::string& /*lane*/) const {
  return state_->options.context_length;
}

bool RemoteBackend::has_model(const std::string& model) const {
  return model == state_->model_for({}) || is_among(state_->hosts.models(), model);
}

Result<void> RemoteBackend::generate(Request request, std::shared_ptr<Sink> sink,
                                     std::stop_token stop) {
  if (request.messages.empty()) {
    return make_error(ErrorCode::invalid_message, "there is no message to answer");
  }
  std::string model = state_->model_for(request);
  if (model.empty()) {
    std::string why = state_->hosts.trouble();
    if (why.empty()) why = "no model server has answered yet; try again soon";
    return make_error(ErrorCode::backend_unavailable, std::move(why));
  }
  auto lane = state_->reserve();
  if (!lane) return lane.error();
  auto run = std::make_shared<RemoteRun>(state_->parts(), (*lane)->client, (*lane)->context,
                                         std::move(request), std::move(model), std::move(sink),
                                         [state = state_.get()] { state->release(); });
  {
    std::lock_guard lock(state_->mutex);
    state_->runs.insert(run);
  }
  run->watch(std::move(stop));
  asio::co_spawn((*lane)->context, run->serve(),
                 [run, lane = *lane, last = AtLatestWithContext([state = state_, run] {
                                       state->forget(run);
                                     })](const std::exception_ptr& fault) {
                   if (fault) run->fail(fault);
                 });
  return {};
}

void RemoteBackend::shutdown() {
  std::unique_lock lock(state_->mutex);
  if (std::exchange(state_->closing, true) || state_->lanes.empty()) return;
  for (const auto& run : state_->runs) {
    asio::post(run->context(), [run] { run->cancel(); });
  }
  if (!state_->changed.wait_for(lock, state_->options.end_timeout,
                                [this] { return state_->runs.empty(); })) {
    telemetry::log(telemetry::LogLevel::warning, "answers of a model server did not end in time",
                   {{"backend", state_->dialect->name()}, {"runs", state_->runs.size()}});
  }
  auto closing = std::make_shared<std::size_t>(state_->lanes.size());
  for (const auto& lane : state_->lanes) {
    AtLatestWithContext last([state = state_, lane, closing] {
      if (lane == state->lanes.front()) state->check->stop();
      lane->client.close();
      std::lock_guard closed(state->mutex);
      --*closing;
      state->changed.notify_all();
    });
    asio::post(lane->context, [last = std::move(last)] {});
  }
  state_->changed.wait_for(lock, state_->options.end_timeout, [&] { return *closing == 0; });
}

std::unique_ptr<Backend> open_ollama_backend(RemoteOptions options, const Clock& clock) {
  auto dialect = make_ollama_dialect(options.context_length);
  return std::make_unique<RemoteBackend>(std::move(options), std::move(dialect), clock);
}

std::unique_ptr<Backend> open_openai_backend(RemoteOptions options, const Clock& clock) {
  auto dialect = make_openai_dialect(options.api_key);
  return std::make_unique<RemoteBackend>(std::move(options), std::move(dialect), clock);
}

}  // namespace tars::llm

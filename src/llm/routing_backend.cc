#include "llm/routing_backend.h"

#include <algorithm>
#include <utility>

#include "llm/backend_names.h"

namespace tars::llm {
namespace {

// What an operator sets so that it is there.
std::string option_of(std::string_view backend) {
  if (backend == kOllamaBackend) return "OLLAMA_HOST";
  return backend == kOpenAiBackend ? "OPENAI_BASE_URL" : "MODEL_PATH";
}

}  // namespace

std::string sent_name(const std::string& model, const std::string& of,
                      const std::vector<std::string>& backends) {
  const std::string prefix = model.substr(0, model.find('/'));
  const bool reads_as_anothers = prefix.size() < model.size() && prefix != of &&
                                 std::ranges::find(backends, prefix) != backends.end();
  const bool plain = of == backends.front() && !reads_as_anothers;
  return plain || model.empty() ? model : of + "/" + model;
}

RoutingBackend::RoutingBackend(std::vector<NamedBackend> backends)
    : backends_(std::move(backends)) {}

void RoutingBackend::start(const std::vector<boost::asio::io_context*>& contexts) {
  for (const NamedBackend& each : backends_) each.backend->start(contexts);
}

Status RoutingBackend::status() const {
  Status out = backends_.front().backend->status();
  for (std::size_t i = 1; i < backends_.size(); ++i) {
    const Status other = backends_[i].backend->status();
    out.slots += other.slots;
    out.running += other.running;
  }
  return out;
}

std::vector<NamedStatus> RoutingBackend::parts() const {
  std::vector<NamedStatus> out;
  out.reserve(backends_.size());
  for (const NamedBackend& each : backends_) out.push_back({each.name, each.backend->status()});
  return out;
}

std::string RoutingBackend::resolve(const std::string& model) const {
  for (const NamedBackend& each : backends_) {
    if (model == each.name + "/") return model + each.backend->status().model;
  }
  return Backend::resolve(model);
}

std::vector<std::string> RoutingBackend::models(const std::string& lane, std::size_t most) const {
  const Backend* const lists = part(lane);
  if (lists == nullptr) return {};
  std::vector<std::string> names;
  names.reserve(backends_.size());
  for (const NamedBackend& each : backends_) names.push_back(each.name);
  std::vector<std::string> out = lists->models({}, most);
  for (std::string& model : out) model = sent_name(model, lane, names);
  return out;
}

std::string RoutingBackend::lane(const std::string& model) const {
  const NamedBackend* const chosen = choose(model).backend;
  return chosen == nullptr ? backends_.front().name : chosen->name;
}

RoutingBackend::Choice RoutingBackend::choose(const std::string& model) const {
  const NamedBackend& first = backends_.front();
  const std::size_t slash = model.find('/');
  // The default's model is reported without a prefix, and may be asked for by that name.
  if (slash == std::string::npos || model == first.backend->status().model) return {&first, model};
  const std::string_view prefix = std::string_view(model).substr(0, slash);
  for (const NamedBackend& each : backends_) {
    if (each.name != prefix) continue;
    return {&each, each.backend->has_model(model) ? model : model.substr(slash + 1)};
  }
  // Told apart from a model that the default backend does not have.
  const bool names_one =
      prefix == kOllamaBackend || prefix == kOpenAiBackend || prefix == kEmbeddedBackend;
  if (names_one && !first.backend->has_model(model)) return {nullptr, std::string(prefix)};
  return {&first, model};
}

int RoutingBackend::slots(const std::string& lane) const {
  const Backend* const answers = part(lane);
  return answers == nullptr ? 0 : answers->slots({});
}

bool RoutingBackend::pauses(const std::string& lane) const {
  const Backend* const answers = part(lane);
  return answers != nullptr && answers->pauses({});
}

bool RoutingBackend::is_loading(const std::string& lane) const {
  const Backend* const answers = part(lane);
  return answers != nullptr && answers->is_loading({});
}

int RoutingBackend::context_length(const std::string& lane) const {
  const Backend* const answers = part(lane);
  return answers == nullptr ? 0 : answers->context_length({});
}

const Backend* RoutingBackend::part(const std::string& lane) const {
  const auto found =
      std::ranges::find_if(backends_, [&](const NamedBackend& each) { return each.name == lane; });
  return found == backends_.end() ? nullptr : found->backend.get();
}

Result<void> RoutingBackend::generate(Request request, std::shared_ptr<Sink> sink,
                                      std::stop_token stop) {
  Choice chosen = choose(request.model);
  if (chosen.backend == nullptr) {
    return make_error(ErrorCode::model_not_found,
                      "the backend '" + chosen.model + "' is not configured here: name another " +
                          "model, or have it set up with " + option_of(chosen.model));
  }
  request.model = std::move(chosen.model);
  return chosen.backend->backend->generate(std::move(request), std::move(sink), std::move(stop));
}

void RoutingBackend::shutdown() {
  for (const NamedBackend& each : backends_) each.backend->shutdown();
}

}  // namespace tars::llm

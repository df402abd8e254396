#include "app/open_backends.h"

#include <algorithm>

#include "llm/backend_names.h"
#include "llm/remote/remote_backend.h"
#include "llm/routing_backend.h"

namespace tars::app {

Result<std::unique_ptr<llm::Backend>> open_backends(const config::Settings& settings,
                                                    const OpenBackend& open_embedded,
                                                    const Clock& clock,
                                                    telemetry::Metrics& metrics) {
  std::vector<llm::NamedBackend> all;
  if (settings.embedded) {
    auto embedded = open_embedded(settings.llm, clock, metrics);
    if (!embedded) return embedded.error();
    all.push_back({llm::kEmbeddedBackend, *std::move(embedded)});
  }
  if (settings.ollama) {
    all.push_back({llm::kOllamaBackend, llm::open_ollama_backend(*settings.ollama, clock)});
  }
  if (settings.openai) {
    all.push_back({llm::kOpenAiBackend, llm::open_openai_backend(*settings.openai, clock)});
  }
  const auto is_default = [&](const llm::NamedBackend& b) {
    return b.name == settings.api.backend;
  };
  std::stable_partition(all.begin(), all.end(), is_default);
  return std::unique_ptr<llm::Backend>(std::make_unique<llm::RoutingBackend>(std::move(all)));
}

void describe_backends(const config::Settings& settings, std::ostream& out) {
  const auto hosts = [&](const char* name, const llm::RemoteOptions& options) {
    out << "  model  " << name << " at";
    for (const net::Endpoint& host : options.hosts) out << ' ' << host.url();
    out << (options.model.empty() ? "" : ", " + options.model) << "\n";
  };
  if (settings.embedded) out << "  model  " << settings.llm.model_path.string() << " (loading)\n";
  if (settings.ollama) hosts(llm::kOllamaBackend, *settings.ollama);
  if (settings.openai) hosts(llm::kOpenAiBackend, *settings.openai);
}

}  // namespace tars::app

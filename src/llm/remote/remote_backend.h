// Model servers behind HTTP as a Backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "llm/backend.h"
#include "llm/remote/dialect.h"
#include "llm/remote/options.h"

namespace tars::llm {

// Ollama's own API, and the one of OpenAI-compatible servers. Nothing is asked before start();
// `clock` outlives the backend. A host that cannot be reached is no reason not to start: status()
// is unhealthy until one answers, and generate() tries all the same.
std::unique_ptr<Backend> open_ollama_backend(RemoteOptions options, const Clock& clock);
std::unique_ptr<Backend> open_openai_backend(RemoteOptions options, const Clock& clock);

// Bounded: options.slots runs, more are refused with overloaded. Runs are spread over the contexts
// in turn; each context has its own connections.
class RemoteBackend final : public Backend {
 public:
  RemoteBackend(RemoteOptions options, std::unique_ptr<Dialect> dialect, const Clock& clock);
  ~RemoteBackend() override;

  void start(const std::vector<boost::asio::io_context*>& contexts) override;
  Status status() const override;
  // Of those that a server lists, and the default one.
  bool has_model(const std::string& model) const override;
  std::vector<std::string> models(const std::string& lane, std::size_t most) const override;
  // Without the lists of models that status() copies: asked for every run that waits.
  int slots(const std::string& lane) const override;
  int context_length(const std::string& lane) const override;
  Result<void> generate(Request request, std::shared_ptr<Sink> sink, std::stop_token stop) override;
  // The contexts must still run, or never have run anything of this.
  void shutdown() override;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace tars::llm

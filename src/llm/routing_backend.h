// Several backends behind one: the model's name says which one answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "llm/backend.h"

namespace tars::llm {

struct NamedBackend {
  std::string name;  // "ollama": the prefix of its models' names, ollama/llama3
  std::unique_ptr<Backend> backend;
};

// What a request carries for `model` of the backend `of`, one of `backends`, the default first: the
// name as it is for the default, unless it reads as another backend's; else behind the backend's.
// "" stays so.
std::string sent_name(const std::string& model, const std::string& of,
                      const std::vector<std::string>& backends);

// Owns its backends; the first is the default. A model `name/model` goes to the backend of that
// name as `model` (`name/` as its default model), every other name, `org/model` too, to the default
// one. Where `name/model` is what a model is called, openai/gpt-oss-20b, it goes there whole. Its
// status is the default one's, with the slots and runs of all; a backend without room
// answers overloaded by itself.
class RoutingBackend final : public Backend {
 public:
  // At least one.
  explicit RoutingBackend(std::vector<NamedBackend> backends);

  void start(const std::vector<boost::asio::io_context*>& contexts) override;
  Status status() const override;
  std::vector<NamedStatus> parts() const override;
  std::string resolve(const std::string& model) const override;
  std::vector<std::string> models(const std::string& lane, std::size_t most) const override;
  std::string lane(const std::string& model) const override;
  int slots(const std::string& lane) const override;
  bool pauses(const std::string& lane) const override;
  bool is_loading(const std::string& lane) const override;
  int context_length(const std::string& lane) const override;
  Result<void> generate(Request request, std::shared_ptr<Sink> sink, std::stop_token stop) override;
  void shutdown() override;

 private:
  struct Choice {
    const NamedBackend* backend = nullptr;  // null: it is not configured
    std::string model;  // as that backend knows it; without one, the name of the missing backend
  };
  Choice choose(const std::string& model) const;
  const Backend* part(const std::string& lane) const;  // null: there is none of that name

  std::vector<NamedBackend> backends_;
};

}  // namespace tars::llm

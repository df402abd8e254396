#include "app/open_backends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace tars::app {
namespace {

using testing::HasSubstr;

class StubBackend final : public llm::Backend {
 public:
  llm::Status status() const override {
    llm::Status status;
    status.health = llm::Health::healthy;
    status.model = "stub";
    return status;
  }
  Result<void> generate(llm::Request, std::shared_ptr<llm::Sink>, std::stop_token) override {
    return {};
  }
  void shutdown() override {}
};

Result<std::unique_ptr<llm::Backend>> open_stub(const llm::LlamaOptions&, const Clock&,
                                                telemetry::Metrics&) {
  return std::unique_ptr<llm::Backend>(std::make_unique<StubBackend>());
}

config::Settings with_ollama() {
  config::Settings settings;
  settings.ollama.emplace();
  settings.ollama->hosts = {{.host = "gpu", .port = 11434}};
  settings.ollama->model = "llama3";
  return settings;
}

std::vector<std::string> names(const config::Settings& settings) {
  const SystemClock clock;
  telemetry::Metrics metrics;
  const auto backend = open_backends(settings, open_stub, clock, metrics).value();
  std::vector<std::string> out;
  for (const auto& part : backend->parts()) out.push_back(part.name);
  return out;
}

TEST(OpenBackends, TheDefaultOneIsFirst) {
  config::Settings settings = with_ollama();
  EXPECT_EQ(names(settings), (std::vector<std::string>{"embedded", "ollama"}));
  settings.api.backend = "ollama";
  EXPECT_EQ(names(settings), (std::vector<std::string>{"ollama", "embedded"}));
  settings.embedded = false;
  settings.openai = settings.ollama;
  EXPECT_EQ(names(settings), (std::vector<std::string>{"ollama", "openai"}));
}

TEST(OpenBackends, AModelThatCannotBeServedIsAnError) {
  const SystemClock clock;
  telemetry::Metrics metrics;
  const OpenBackend broken = [](const llm::LlamaOptions&, const Clock&,
                                telemetry::Metrics&) -> Result<std::unique_ptr<llm::Backend>> {
    return make_error(ErrorCode::config_error, "MODEL_PATH: damaged");
  };
  EXPECT_EQ(open_backends({}, broken, clock, metrics).error().message, "MODEL_PATH: damaged");
}

TEST(OpenBackends, EachIsDescribed) {
  std::ostringstream out;
  config::Settings settings = with_ollama();
  settings.llm.model_path = "/m/chat.gguf";
  describe_backends(settings, out);
  EXPECT_THAT(out.str(), HasSubstr("/m/chat.gguf (loading)"));
  EXPECT_THAT(out.str(), HasSubstr("ollama at http://gpu:11434, llama3"));
}

}  // namespace
}  // namespace tars::app

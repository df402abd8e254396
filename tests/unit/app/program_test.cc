#include "app/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <sstream>
#include <string_view>
#include <thread>

namespace tars::app {
namespace {

using testing::HasSubstr;
using testing::Not;

// A model that is there at once, or never.
class StubBackend final : public llm::Backend {
 public:
  explicit StubBackend(llm::Health health) : health_(health) {}
  llm::Status status() const override {
    return {.health = health_, .detail = "the file is damaged", .model = "stub"};
  }
  Result<void> generate(llm::Request, std::shared_ptr<llm::Sink>, std::stop_token) override {
    return make_error(ErrorCode::backend_unavailable, "none");
  }
  void shutdown() override {}

 private:
  const llm::Health health_;
};

OpenBackend opens(llm::Health health) {
  return [health](const llm::LlamaOptions&, const Clock&,
                  telemetry::Metrics&) -> Result<std::unique_ptr<llm::Backend>> {
    return std::unique_ptr<llm::Backend>(std::make_unique<StubBackend>(health));
  };
}

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    std::string pattern = testing::TempDir() + "tars-program-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    settings_.data_dir = folder_ / "data";
    settings_.server.port = 0;
    settings_.auth.secret_key = std::string(32, 'k');
    settings_.drain = std::chrono::seconds{1};
  }
  ~ProgramTest() override { std::filesystem::remove_all(folder_); }

  std::string error_of(llm::Health health = llm::Health::healthy) {
    auto program = Program::build(settings_, opens(health));
    return program ? "no error" : program.error().message;
  }

  // What run() prints until it is told to stop.
  std::string output_of_a_run() {
    auto program = Program::build(settings_, opens(llm::Health::healthy)).value();
    std::ostringstream out;
    program->request_stop();
    EXPECT_TRUE(program->run(out));
    return out.str();
  }

  std::filesystem::path folder_;
  config::Settings settings_;
};

TEST_F(ProgramTest, SaysWhereItListensAndThatItIsReady) {
  const std::string out = output_of_a_run();
  EXPECT_THAT(out, HasSubstr("listens on http://127.0.0.1:"));
  EXPECT_THAT(out, HasSubstr("ready: http://127.0.0.1:"));
  EXPECT_THAT(out, HasSubstr("model stub"));
  EXPECT_THAT(out, HasSubstr(settings_.data_dir.string()));
}

TEST_F(ProgramTest, WithALogInJsonNothingElseIsPrinted) {
  settings_.log_format = telemetry::LogFormat::json;
  EXPECT_EQ(output_of_a_run(), "");
}

// Holds the thread that prints it up, as a disk may that a certificate is read from, while signals
// come: more of them than are kept.
class SlowText final : public std::stringbuf {
 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (std::string_view(text, static_cast<std::size_t>(size)).find("ready: ") !=
        std::string_view::npos) {
      for (int i = 0; i < 20; ++i) std::raise(SIGHUP);
      std::raise(SIGTERM);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    return std::stringbuf::xsputn(text, size);
  }
};

TEST_F(ProgramTest, AStopIsNotLostBehindOtherSignals) {
  auto program = Program::build(settings_, opens(llm::Health::healthy)).value();
  SlowText text;
  std::ostream out(&text);
  auto run = std::async(std::launch::async, [&] { return program->run(out).has_value(); });
  const bool ended = run.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  EXPECT_TRUE(ended);
  program->request_stop();
  EXPECT_TRUE(run.get());
}

TEST_F(ProgramTest, AStopEndsAStartThatStillLoads) {
  auto program = Program::build(settings_, opens(llm::Health::starting)).value();
  std::ostringstream out;
  program->request_stop();
  EXPECT_TRUE(program->run(out));
  EXPECT_THAT(out.str(), Not(HasSubstr("ready")));
}

TEST_F(ProgramTest, AModelThatCannotBeLoadedEndsItWithTheOptionsName) {
  auto program = Program::build(settings_, opens(llm::Health::unhealthy)).value();
  std::ostringstream out;
  const Result<void> ended = program->run(out);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "MODEL_PATH: the file is damaged");
}

TEST_F(ProgramTest, AModelThatIsNotTheDefaultMayFailAtAnyTime) {
  settings_.api.backend = "ollama";
  settings_.ollama.emplace();
  settings_.ollama->hosts = {{.host = "127.0.0.1", .port = 1}};
  auto program = Program::build(settings_, opens(llm::Health::unhealthy)).value();
  std::ostringstream out;
  program->request_stop();
  EXPECT_TRUE(program->run(out));
}

TEST_F(ProgramTest, TwoNeverShareADataFolder) {
  auto first = Program::build(settings_, opens(llm::Health::healthy)).value();
  EXPECT_THAT(error_of(), HasSubstr("TARS_DATA_DIR"));
  first.reset();
  EXPECT_EQ(error_of(), "no error");
}

// Its databases are open as long, and closing them removes files by their names.
TEST_F(ProgramTest, OneThatHasRunKeepsTheFolderUntilItIsGone) {
  auto first = Program::build(settings_, opens(llm::Health::healthy)).value();
  std::ostringstream out;
  first->request_stop();
  EXPECT_TRUE(first->run(out));
  EXPECT_THAT(error_of(), HasSubstr("TARS_DATA_DIR"));
  first.reset();
  EXPECT_EQ(error_of(), "no error");
}

TEST_F(ProgramTest, APortInUseIsNamed) {
  auto first = Program::build(settings_, opens(llm::Health::healthy)).value();
  settings_.data_dir = folder_ / "other";
  settings_.server.port = first->port();
  EXPECT_THAT(error_of(), HasSubstr("TARS_PORT"));
}

TEST_F(ProgramTest, MissingSecretsAreMadeOnceAndTheKeyShownOnce) {
  settings_.auth.secret_key.clear();
  settings_.make_secret_key = true;
  settings_.auth.enrollment = auth::Enrollment::key;
  settings_.make_enrollment_key = true;
  EXPECT_THAT(output_of_a_run(), HasSubstr("enrolment key, shown this once: "));
  EXPECT_TRUE(std::filesystem::exists(settings_.data_dir / "jwt_secret"));
  EXPECT_TRUE(std::filesystem::exists(settings_.data_dir / "enrollment_key"));
  const std::string later = output_of_a_run();
  EXPECT_THAT(later, Not(HasSubstr("enrolment key")));
  EXPECT_THAT(later, HasSubstr("enrolment by the key in " + settings_.data_dir.string()));
}

TEST_F(ProgramTest, AFolderThatIsAFileIsNamed) {
  settings_.data_dir = "/dev/null/data";
  EXPECT_THAT(error_of(), HasSubstr("TARS_DATA_DIR"));
}

TEST_F(ProgramTest, ABackendThatRefusesIsPassedOn) {
  const auto program =
      Program::build(settings_,
                     [](const llm::LlamaOptions&, const Clock&,
                        telemetry::Metrics&) -> Result<std::unique_ptr<llm::Backend>> {
                       return make_error(ErrorCode::config_error, "MODEL_PATH: no GGUF");
                     });
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().message, "MODEL_PATH: no GGUF");
}

}  // namespace
}  // namespace tars::app

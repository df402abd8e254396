#include "llm/routing_backend.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

class NamedStub final : public Backend {
 public:
  explicit NamedStub(std::string name, std::vector<std::string>& calls)
      : model(name + "-model"), name_(std::move(name)), calls_(calls) {}
  std::string model;
  void start(const std::vector<boost::asio::io_context*>&) override {
    calls_.push_back(name_ + " start");
  }
  mutable int asked = 0;  // for its status, which is copied
  Status status() const override {
    ++asked;
    return {.health = Health::healthy,
            .detail = "",
            .model = model,
            .context_length = name_ == "ollama" ? 2048 : 4096,
            .slots = 3,
            .running = 1};
  }
  int slots(const std::string&) const override { return 3; }
  int context_length(const std::string&) const override { return name_ == "ollama" ? 2048 : 4096; }
  bool pauses(const std::string&) const override { return name_ == "embedded"; }
  bool is_loading(const std::string&) const override { return name_ == "embedded"; }
  Result<void> generate(Request request, std::shared_ptr<Sink>, std::stop_token) override {
    calls_.push_back(name_ + " " + request.model);
    return {};
  }
  void shutdown() override { calls_.push_back(name_ + " shutdown"); }

 private:
  const std::string name_;
  std::vector<std::string>& calls_;
};

class RoutingBackendTest : public ::testing::Test {
 protected:
  RoutingBackendTest() {
    std::vector<NamedBackend> backends;
    for (const char* name : {"embedded", "ollama"}) {
      auto stub = std::make_unique<NamedStub>(name, calls_);
      stubs_.push_back(stub.get());
      backends.push_back({name, std::move(stub)});
    }
    routing_ = std::make_unique<RoutingBackend>(std::move(backends));
  }
  std::string asked(const std::string& model) {
    calls_.clear();
    Request request;
    request.model = model;
    const auto result = routing_->generate(std::move(request), nullptr, {});
    if (!result) return result.error().code == ErrorCode::model_not_found ? "not found" : "other";
    return calls_.back();
  }

  std::vector<std::string> calls_;
  std::vector<NamedStub*> stubs_;  // routing_ owns them
  std::unique_ptr<RoutingBackend> routing_;
};

TEST_F(RoutingBackendTest, ThePrefixSaysWho) {
  EXPECT_EQ(asked("ollama/llama3:8b"), "ollama llama3:8b");
  EXPECT_EQ(asked("ollama/org/model"), "ollama org/model");
  EXPECT_EQ(asked("ollama/"), "ollama ");
  EXPECT_EQ(asked("embedded/chat"), "embedded chat");
}

TEST_F(RoutingBackendTest, OtherNamesAreTheDefaultOnes) {
  EXPECT_EQ(asked(""), "embedded ");
  EXPECT_EQ(asked("chat"), "embedded chat");
  EXPECT_EQ(asked("org/model"), "embedded org/model");
  EXPECT_EQ(asked("/x"), "embedded /x");
}

TEST_F(RoutingBackendTest, AModelMayBeCalledAsIfItHadAPrefix) {
  stubs_[1]->model = "ollama/llama3";
  EXPECT_EQ(asked("ollama/llama3"), "ollama ollama/llama3");
  EXPECT_EQ(asked("ollama/ollama/llama3"), "ollama ollama/llama3");
  EXPECT_EQ(asked("ollama/other"), "ollama other");
  // What `complete` says of the default's model may be asked for.
  for (const char* name : {"openai/gpt-oss-20b", "ollama/mine"}) {
    stubs_[0]->model = name;
    EXPECT_EQ(asked(name), std::string("embedded ") + name);
    EXPECT_EQ(routing_->lane(name), "embedded");
  }
}

TEST_F(RoutingBackendTest, EachBackendIsALaneWithItsOwnSlots) {
  EXPECT_TRUE(routing_->is_loading("embedded"));
  EXPECT_FALSE(routing_->is_loading("ollama"));
  EXPECT_TRUE(routing_->pauses("embedded"));
  EXPECT_FALSE(routing_->pauses("ollama"));
  EXPECT_EQ(routing_->lane("ollama/llama3"), "ollama");
  EXPECT_EQ(routing_->lane("ollama/"), "ollama");
  for (const char* model : {"", "chat", "ollama", "org/model"}) {
    EXPECT_EQ(routing_->lane(model), "embedded") << model;
  }
  const int asked_before = stubs_[1]->asked;
  EXPECT_EQ(routing_->slots("ollama"), 3);
  EXPECT_EQ(routing_->slots("unknown"), 0);
  EXPECT_EQ(routing_->context_length("ollama"), 2048);
  EXPECT_EQ(routing_->context_length("unknown"), 0);
  EXPECT_EQ(stubs_[1]->asked, asked_before) << "they are asked for every run that waits";
  EXPECT_EQ(routing_->status().slots, 6);
}

TEST_F(RoutingBackendTest, ModelsAreNamedAsARequestNamesThem) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(routing_->models("embedded", 9), Names{"embedded-model"});
  EXPECT_EQ(routing_->models("ollama", 9), Names{"ollama/ollama-model"});
  EXPECT_EQ(routing_->models("ollama", 0), Names{});
  EXPECT_EQ(routing_->models("unknown", 9), Names{});
}

TEST(SentName, IsPlainForTheDefaultAndElseBehindThePrefix) {
  const std::vector<std::string> all = {"ollama", "openai"};
  EXPECT_EQ(sent_name("llama3", "ollama", all), "llama3");
  EXPECT_EQ(sent_name("org/llama3", "ollama", all), "org/llama3");
  EXPECT_EQ(sent_name("gpt", "openai", all), "openai/gpt");
  EXPECT_EQ(sent_name("", "openai", all), "");
  EXPECT_EQ(sent_name("openai/gpt", "ollama", all), "ollama/openai/gpt") << "it would go to openai";
  EXPECT_EQ(sent_name("ollama/mine", "ollama", all), "ollama/mine");
}

TEST_F(RoutingBackendTest, TheDefaultOfABackendIsNamed) {
  EXPECT_EQ(routing_->resolve("ollama/"), "ollama/ollama-model");
  EXPECT_EQ(routing_->resolve("ollama/x"), "ollama/x");
  EXPECT_EQ(routing_->resolve(""), "embedded-model");
}

TEST_F(RoutingBackendTest, ABackendThatIsNotThereIsNotFound) {
  EXPECT_EQ(asked("openai/gpt"), "not found");
}

TEST_F(RoutingBackendTest, TheStatusIsTheDefaultOnesWithTheRoomOfAll) {
  const Status status = routing_->status();
  EXPECT_EQ(status.model, "embedded-model");
  EXPECT_EQ(status.slots, 6);
  EXPECT_EQ(status.running, 2);
  ASSERT_EQ(routing_->parts().size(), 2U);
  EXPECT_EQ(routing_->parts()[1].name, "ollama");
}

TEST_F(RoutingBackendTest, StartsAndEndsAll) {
  routing_->start({});
  routing_->shutdown();
  EXPECT_EQ(calls_, (std::vector<std::string>{"embedded start", "ollama start", "embedded shutdown",
                                              "ollama shutdown"}));
}

}  // namespace
}  // namespace tars::llm

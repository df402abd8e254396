#include "model_fixture.h"

namespace tars::llm {

using namespace std::chrono_literals;

void RecordingSink::on_start(int, int) {
  const std::lock_guard lock(mutex_);
  started_ = true;
  changed_.notify_all();
}

void RecordingSink::on_token(std::string_view text) {
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(ends_, 0);
  text_ += text;
  ++tokens_;
  changed_.notify_all();
}

void RecordingSink::on_done(std::string_view rest, Result<Completion> result) {
  const std::lock_guard lock(mutex_);
  text_ += rest;
  result_ = std::move(result);
  ++ends_;
  changed_.notify_all();
}

bool RecordingSink::wait_tokens(int n) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 60s, [&] { return tokens_ >= n; });
}

bool RecordingSink::wait_start() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 60s, [&] { return started_; });
}

Result<Completion> RecordingSink::wait() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, 120s, [&] { return ends_ > 0; })) {
    ADD_FAILURE() << "no end within two minutes";
    return make_error(ErrorCode::timeout, "no end");
  }
  return *result_;
}

std::string RecordingSink::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

int RecordingSink::tokens() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

int RecordingSink::ends() const {
  const std::lock_guard lock(mutex_);
  return ends_;
}

void ModelTest::open(int slots, int context) {
  LlamaOptions options;
  options.model_path = test_model();
  ASSERT_FALSE(options.model_path.empty());
  options.slots = slots;
  options.context_length = context;
  auto backend = open_llama_backend(options, clock_, metrics_);
  ASSERT_TRUE(backend) << backend.error().message;
  backend_ = std::move(*backend);
}

std::shared_ptr<RecordingSink> ModelTest::ask(Request request, std::stop_token stop) {
  auto sink = std::make_shared<RecordingSink>();
  const auto accepted = backend_->generate(std::move(request), sink, std::move(stop));
  EXPECT_TRUE(accepted) << accepted.error().message;
  return sink;
}

Request request(std::string content, int max_tokens) {
  Request r;
  r.messages = {{Role::user, std::move(content)}};
  r.sampling.temperature = 0;
  r.sampling.max_tokens = max_tokens;
  return r;
}

std::string long_text(int tokens) {
  std::string text;
  for (int i = 0; i < tokens / 9; ++i) text += "The river ran past the old mill. ";
  return text;
}

}  // namespace tars::llm

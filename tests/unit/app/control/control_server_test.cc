#include "app/control/control_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "app/control/ask_holder.h"
#include "control_fixture.h"

namespace tars::app {
namespace {

using Unix = boost::asio::local::stream_protocol;

class ControlServerTest : public ControlFixture {
 protected:
  void start(const std::filesystem::path& folder) {
    server_ = ControlServer::listen(context_, folder, desk()).value();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~ControlServerTest() override {
    server_.reset();
    work_.reset();
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  // What comes back for these bytes.
  std::string raw(const std::string& bytes) {
    const ControlAddress address = ControlAddress::in(folder_.path()).value();
    Unix::iostream stream;
    stream.expires_after(std::chrono::seconds(20));
    stream.connect(Unix::endpoint(address.path()));
    stream << bytes << std::flush;
    std::string line;
    std::getline(stream, line);
    return line;
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
};

TEST_F(ControlServerTest, AnswersOverItsSocket) {
  start(folder_.path());
  const auto answer = ask_running(folder_.path(), issue("alice"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(tokens_->verify_any(answer->pair->tokens.access_token));
  EXPECT_THAT(ask_running(folder_.path(), revoke("fam_none")).error().message,
              testing::HasSubstr("there is no device fam_none"));
}

TEST_F(ControlServerTest, OnlyItsOwnerMayOpenIt) {
  std::ofstream(folder_.path() / kControlSocket) << "a leftover";
  start(folder_.path());
  struct stat status{};
  ASSERT_EQ(::stat((folder_.path() / kControlSocket).c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(ControlServerTest, AFolderMayHaveAnyLength) {
  const auto deep = folder_.path() / std::string(120, 'x');
  std::filesystem::create_directory(deep);
  start(deep);
  EXPECT_TRUE(ask_running(deep, {}));
}

TEST_F(ControlServerTest, NonsenseGetsAnErrorAndHurtsNobody) {
  start(folder_.path());
  EXPECT_THAT(raw("nonsense\n"), testing::HasSubstr("\"error\""));
  EXPECT_EQ(raw(std::string(20'000, 'x') + "\n"), "");
  EXPECT_TRUE(ask_running(folder_.path(), {}));
}

// It was told that nobody answered.
TEST_F(ControlServerTest, WhoHasHungUpGetsNothingDone) {
  server_ = ControlServer::listen(context_, folder_.path(), desk()).value();
  {
    const ControlAddress address = ControlAddress::in(folder_.path()).value();
    Unix::iostream stream(Unix::endpoint(address.path()));
    stream << format_control_request(issue("ghost")) << "\n" << std::flush;
  }
  thread_ = std::thread([this] { context_.run(); });
  const auto answer =
      ask_running(folder_.path(), {.what = ControlRequest::What::families, .query = {.limit = 10}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->families.empty());
}

TEST_F(ControlServerTest, ManyAtOnceAreAnswered) {
  start(folder_.path());
  std::atomic<int> answered = 0;
  std::vector<std::jthread> askers;
  for (int i = 0; i < 30; ++i) {
    askers.emplace_back([&] {
      if (ask_running(folder_.path(), {})) ++answered;
    });
  }
  askers.clear();
  EXPECT_EQ(answered, 30);
}

TEST_F(ControlServerTest, TheSocketGoesWithIt) {
  start(folder_.path());
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / kControlSocket));
  EXPECT_EQ(ask_running(folder_.path(), {}).error().code, ErrorCode::not_found);
}

TEST_F(ControlServerTest, AFolderThatIsNoneIsNamed) {
  const auto refused = ControlServer::listen(context_, "/no/such/folder", desk());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("/no/such/folder/control.sock"));
}

}  // namespace
}  // namespace tars::app

// The whole server with a model that is only a script: a stop lets answers finish, or keeps them
// partial.
#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "app/program.h"

namespace tars::app {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
namespace websocket = beast::websocket;
using boost::asio::ip::tcp;

// Says one token, then waits until the test opens the gate or the run is stopped, then says the
// rest.
class GatedBackend final : public llm::Backend {
 public:
  ~GatedBackend() override { shutdown(); }

  llm::Status status() const override {
    return {.health = llm::Health::healthy, .detail = "", .model = "gated", .context_length = 512};
  }

  Result<void> generate(llm::Request, std::shared_ptr<llm::Sink> sink,
                        std::stop_token stop) override {
    std::lock_guard lock(mutex_);
    threads_.emplace_back([this, sink = std::move(sink), stop] { say(*sink, stop); });
    return {};
  }

  void open_gate() {
    {
      std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }

  void shutdown() override {
    open_gate();
    std::vector<std::jthread> threads;
    {
      std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
  }

 private:
  void say(llm::Sink& sink, const std::stop_token& stop) {
    sink.on_start(3, 0);
    sink.on_token("one");
    sink.on_step_end();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return open_; });
    lock.unlock();
    if (stop.stop_requested()) {
      sink.on_done("", llm::Completion{llm::FinishReason::cancelled, 3, 0});
      return;
    }
    sink.on_token(" two");
    sink.on_step_end();
    sink.on_done("", llm::Completion{llm::FinishReason::stop, 3, 0});
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  std::vector<std::jthread> threads_;
};

class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    std::string pattern = testing::TempDir() + "tars-drain-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    settings_.data_dir = folder_;
    settings_.server.port = 0;
    settings_.auth.secret_key = std::string(32, 'k');
  }
  ~DrainTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start(std::chrono::seconds drain) {
    settings_.drain = drain;
    program_ = Program::build(settings_, [this](const llm::LlamaOptions&, const Clock&,
                                                telemetry::Metrics&) {
                 auto backend = std::make_unique<GatedBackend>();
                 backend_ = backend.get();
                 return Result<std::unique_ptr<llm::Backend>>(std::move(backend));
               }).value();
    runner_ = std::jthread([this] { ended_ok_ = program_->run(out_).has_value(); });
  }

  void stop() {
    if (program_) program_->request_stop();
    if (runner_.joinable()) runner_.join();
  }

  tcp::endpoint endpoint() const {
    return {boost::asio::ip::address_v4::loopback(), program_->port()};
  }

  std::string mint() {
    tcp::socket socket(io_);
    socket.connect(endpoint());
    http::request<http::string_body> request(http::verb::post, "/auth/token", 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::content_type, "application/json");
    request.body() = R"({"client_id":"ann"})";
    request.prepare_payload();
    http::write(socket, request);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    return std::string(json::parse(response.body()).at("access_token").as_string());
  }

  using Socket = websocket::stream<tcp::socket>;

  Socket connect() {
    Socket socket(io_);
    socket.next_layer().connect(endpoint());
    socket.handshake("localhost", "/ws/chat?token=" + mint());
    EXPECT_EQ(next(socket, "connection_ack").at("client_id").as_string(), "ann");
    return socket;
  }

  // Skips what is of another type.
  json::object next(Socket& socket, std::string_view type) {
    while (true) {
      beast::flat_buffer buffer;
      socket.read(buffer);
      json::object frame = json::parse(beast::buffers_to_string(buffer.data())).as_object();
      if (frame.at("type").as_string() == type) return frame;
    }
  }

  void say(Socket& socket) {
    socket.write(boost::asio::buffer(std::string(R"({"type":"chat","content":"count"})")));
  }

  // Reads to the end; how the server closed.
  websocket::close_reason closed(Socket& socket) {
    beast::flat_buffer buffer;
    beast::error_code error;
    while (!error) socket.read(buffer, error);
    EXPECT_EQ(error, websocket::error::closed);
    return socket.reason();
  }

  boost::asio::io_context io_;
  std::filesystem::path folder_;
  config::Settings settings_;
  std::ostringstream out_;
  std::unique_ptr<Program> program_;
  GatedBackend* backend_ = nullptr;
  bool ended_ok_ = false;
  std::jthread runner_;
};

TEST_F(DrainTest, ARunningAnswerFinishesAndItsSocketClosesWith1001) {
  start(std::chrono::seconds{20});
  Socket socket = connect();
  say(socket);
  next(socket, "token");
  program_->request_stop();
  backend_->open_gate();
  EXPECT_EQ(next(socket, "complete").at("finish_reason").as_string(), "stop");
  EXPECT_EQ(closed(socket).code, 1001);
  stop();
  EXPECT_TRUE(ended_ok_);
}

TEST_F(DrainTest, AnAnswerThatTakesTooLongIsKeptAsPartial) {
  start(std::chrono::seconds{0});
  Socket socket = connect();
  say(socket);
  next(socket, "token");
  program_->request_stop();
  EXPECT_EQ(next(socket, "complete").at("finish_reason").as_string(), "cancelled");
  EXPECT_EQ(closed(socket).code, 1001);
  stop();
  EXPECT_TRUE(ended_ok_);
}

TEST_F(DrainTest, AnIdleSocketClosesAtOnce) {
  start(std::chrono::seconds{20});
  Socket socket = connect();
  program_->request_stop();
  EXPECT_EQ(closed(socket).code, 1001);
  stop();
  EXPECT_TRUE(ended_ok_);
}

}  // namespace
}  // namespace tars::app

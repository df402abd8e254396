// A stand-in for a model server: real sockets, and each connection does what the test's script
// says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tars::llm::testing {

// One accepted connection in the script's hands, blocking. Every wait gives up after 20 s.
class Peer {
 public:
  Peer(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The next request, head and body; "" when the client closed instead.
  std::string request() {
    std::size_t head = 0;
    while ((head = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    std::size_t length = 0;
    const auto at = in_.find("Content-Length: ");
    if (at < head) length = std::stoul(in_.substr(at + 16));
    while (in_.size() < head + 4 + length) {
      if (!fill()) return {};
    }
    std::string out = in_.substr(0, head + 4 + length);
    in_.erase(0, out.size());
    return out;
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool begin_stream(std::string_view type = "application/x-ndjson") {
    return send("HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
                "\r\nTransfer-Encoding: chunked\r\n\r\n");
  }
  bool chunk(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return send(size + std::string(bytes) + "\r\n");
  }
  bool token(const std::string& text) {
    return chunk(R"({"model":"m","message":{"role":"assistant","content":")" + text +
                 "\"},\"done\":false}\n");
  }
  bool done(const std::string& reason = "stop") {
    return chunk(R"({"model":"m","message":{"role":"assistant","content":""},"done":true,)"
                 R"("done_reason":")" +
                 reason + "\",\"prompt_eval_count\":11,\"eval_count\":3}\n") &&
           send("0\r\n\r\n");
  }
  bool answer(unsigned status, const std::string& body, const std::string& headers = "") {
    return send("HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // Returns once the client has closed (true), or the test is over.
  bool wait_for_close() {
    while (fill()) {
    }
    return !stopping_;
  }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  bool fill() {
    for (int i = 0; i < 1000 && !stopping_; ++i) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) == 0) continue;
      char buffer[65536];
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      in_.append(buffer, static_cast<std::size_t>(n));
      return true;
    }
    return false;
  }

  const int fd_;
  const std::atomic<bool>& stopping_;
  std::string in_;
};

// Listens on a free port; a thread for each connection runs the script, which may read several
// requests from it. A listing (GET) is answered here unless the test turned `lists` off.
class FakeUpstream {
 public:
  // `number` counts the chat requests of this server, from 0. The connection is closed afterwards
  // when it returns false.
  using Script = std::function<bool(Peer& peer, const std::string& request, int number)>;

  explicit FakeUpstream(Script script, std::vector<std::string> models = {"m"})
      : script_(std::move(script)), models_(std::move(models)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd_, 64) != 0) {
      throw std::runtime_error("no socket to listen on");
    }
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeUpstream() {
    stopping_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(fd_);
    for (auto& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }
  int chats() const { return chats_; }
  int connections() const { return connections_; }
  int listings() const { return listings_; }
  std::atomic<bool> lists{true};
  std::atomic<unsigned> list_status{200};
  std::string refusal = "{}";  // the body of another; before the first listing
  std::atomic<bool> hangs{false};  // a listing is never answered
  // As an Ollama that listens on a loopback address: asked by another name than that it says 403.
  std::atomic<bool> knows_only_its_address{false};
  std::atomic<bool> knows_only_its_name{false};  // localhost; likewise
  std::atomic<int> strangers{0};  // requests that it refused so

 private:
  void accept_all() {
    while (!stopping_) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      threads_.emplace_back([this, peer] { serve(peer); });
    }
  }

  void serve(int fd) {
    Peer peer(fd, stopping_);
    for (;;) {
      const std::string request = peer.request();
      if (request.empty()) return;
      const bool is_stranger =
          (knows_only_its_address && request.find("\r\nHost: 127.0.0.1:") == std::string::npos) ||
          (knows_only_its_name && request.find("\r\nHost: localhost:") == std::string::npos);
      if (is_stranger) {
        ++strangers;
        if (!peer.answer(403, "")) return;
      } else if (request.starts_with("GET ")) {
        if (hangs) peer.wait_for_close();
        if (!lists || !peer.answer(list_status, list_status == 200 ? listing() : refusal)) return;
        ++listings_;
      } else if (!script_(peer, request, chats_++)) {
        return;
      }
    }
  }

  // In both APIs' shapes.
  std::string listing() const {
    std::string names;
    for (const std::string& model : models_) {
      names +=
          (names.empty() ? "" : ",") + (R"({"name":")" + model + R"(","id":")" + model + "\"}");
    }
    return R"({"models":[)" + names + R"(],"data":[)" + names + "]}";
  }

  const Script script_;
  const std::vector<std::string> models_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> chats_{0};
  std::atomic<int> connections_{0};
  std::atomic<int> listings_{0};
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // of the acceptor's thread until it has ended
};

}  // namespace tars::llm::testing

// A client made of nothing but system calls, so that tests decide every byte and every pause.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tars::net::testing {

struct RawResponse {
  unsigned status = 0;
  std::string head;
  std::string body;

  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

struct RawFrame {
  int opcode = -1;  // -1: the connection ended instead
  bool final = true;
  std::string payload;

  // Of a close frame.
  unsigned code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8U |
           static_cast<unsigned char>(payload[1]);
  }
};

// Owns one blocking socket. Every wait gives up after 20 s by throwing: a hanging test fails.
class RawClient {
 public:
  // `from`: the loopback address that it calls from, in host order.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0,
                     std::uint32_t from = INADDR_LOOPBACK) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd_ < 0) throw std::runtime_error("socket");
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
      ::close(fd_);
      throw std::runtime_error("bind");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd_);
      throw std::runtime_error("connect");
    }
  }
  ~RawClient() { close(); }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        tls_(std::exchange(other.tls_, nullptr)),
        in_(std::move(other.in_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&&) = delete;

  void close() {
    SSL_free(std::exchange(tls_, nullptr));
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // Speaks TLS from here on, with `options` taking effect first; whether the handshake succeeded.
  template <class Options>
  bool start_tls(Options options) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                                    SSL_CTX_free);
    tls_ = SSL_new(context.get());
    options(tls_);
    SSL_set_fd(tls_, fd_);
    return SSL_connect(tls_) == 1;
  }
  bool start_tls() {
    return start_tls([](SSL*) {});
  }
  SSL* tls() const { return tls_; }
  // Ends with a reset, as a machine that vanished and came back does.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  // False when the server closed while bytes were left to send.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // One response; a status of 0 when the connection ended first.
  RawResponse response(bool head_only = false) {
    RawResponse r;
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return r;
    }
    r.head = take(end + 4);
    r.status = static_cast<unsigned>(std::stoul(r.head.substr(9, 3)));
    const auto at = r.head.find("Content-Length: ");
    if (at == std::string::npos || head_only) return r;
    const std::size_t length = std::stoul(r.head.substr(at + 16));
    while (in_.size() < length && fill()) {
    }
    r.body = take(std::min(length, in_.size()));
    return r;
  }

  RawResponse ask(std::string_view request) {
    send(request);
    return response();
  }
  RawResponse get(std::string_view target) {
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n");
  }

  // Whether the server closes now (bytes before that are dropped).
  bool ends() {
    while (fill()) in_.clear();
    return true;
  }
  bool has_bytes() const { return !in_.empty(); }
  // Whether the server has sent something, or the end, that was not read yet.
  bool has_answer() const {
    pollfd waiting{fd_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  // Whether the connection ended with a reset, once a read has told its end.
  bool was_reset() const { return was_reset_; }

  RawResponse upgrade(std::string_view extra_headers = "") {
    return ask(
        "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        std::string(extra_headers) + "\r\n");
  }

  // A masked frame (with the mask 0, which leaves the payload as it is).
  static std::string frame(int opcode, std::string_view payload, bool final = true) {
    std::string out;
    out.push_back(static_cast<char>((final ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
      out.push_back(static_cast<char>(0x80U | payload.size()));
    } else {
      // The shortest form that holds the length; peers refuse others.
      const bool is_long = payload.size() > 0xffff;
      out.push_back(static_cast<char>(is_long ? 0xff : 0xfe));
      for (int shift = is_long ? 56 : 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(payload.size() >> static_cast<unsigned>(shift) & 0xffU));
      }
    }
    out.append(4, '\0').append(payload);
    return out;
  }
  bool send_text(std::string_view text) { return send(frame(1, text)); }
  bool send_close(unsigned code, std::string_view reason = "") {
    std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
    return send(frame(8, payload.append(reason)));
  }

  RawFrame read_frame() {
    RawFrame f;
    if (!need(2)) return f;
    const auto byte = [this](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(in_[i]));
    };
    std::uint64_t length = byte(1) & 0x7fU;
    std::size_t head = 2;
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!need(head + extra)) return f;
    if (extra > 0) length = 0;
    for (std::size_t i = 0; i < extra; ++i) length = length << 8U | byte(head++);
    if (!need(head + length)) return f;
    f.opcode = static_cast<int>(byte(0) & 0x0fU);
    f.final = (byte(0) & 0x80U) != 0;
    take(head);
    f.payload = take(length);
    return f;
  }

 private:
  bool need(std::size_t bytes) {
    while (in_.size() < bytes) {
      if (!fill()) return false;
    }
    return true;
  }
  bool fill() {
    pollfd waiting{fd_, POLLIN, 0};
    const bool is_there = tls_ && SSL_pending(tls_) > 0;
    if (!is_there && ::poll(&waiting, 1, 20'000) != 1)
      throw std::runtime_error("the server sent nothing for 20 s");
    std::array<char, 65536> buffer{};
    const auto n = tls_ ? SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()))
                        : ::recv(fd_, buffer.data(), buffer.size(), 0);
    was_reset_ = n < 0 && errno == ECONNRESET;
    if (n <= 0) return false;
    in_.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
  }
  std::string take(std::size_t bytes) {
    std::string out = in_.substr(0, bytes);
    in_.erase(0, bytes);
    return out;
  }

  int fd_ = -1;
  bool was_reset_ = false;
  SSL* tls_ = nullptr;  // plain TCP without
  std::string in_;
};

}  // namespace tars::net::testing

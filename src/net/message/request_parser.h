// Bytes in, one HTTP/1.1 request out: Beast's parser filling our own value, no socket.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace tars::net {

// Why a request cannot be answered as asked: the status to send and a sentence for the sender.
struct HttpFailure {
  unsigned status = 400;
  std::string detail;
};

// Parses one request (RFC 9112) and is then done; use a new one for the next. Bounded: header bytes
// (431), header fields (431), body bytes (413, found at the header where Content-Length tells, else
// at the chunk that crosses the limit), the head of a chunk and the trailers (431, each as much as
// the header). Trailers are read and dropped. Not thread-safe.
class RequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  RequestParser(std::size_t max_header_bytes, std::size_t max_body_bytes);

  // Takes bytes and tells how many were used. The rest must be offered again, with more behind it,
  // unless done() or failure(); it is no more than the header may be. Bytes past the end of the
  // request are never used.
  std::size_t feed(std::string_view bytes);

  // Whether anything of a request was seen; blank lines before it do not count.
  bool started() const { return started_; }
  bool header_done() const { return header_done_; }
  bool done() const { return done_; }
  const std::optional<HttpFailure>& failure() const { return failure_; }

  // Of a request whose header is done.
  bool keeps_alive() const { return keep_alive(); }
  bool expects_continue() const { return expects_continue_; }
  // HTTP/1.0 has no upgrades (RFC 9110 section 7.8).
  bool may_upgrade() const { return version_ >= 11; }

  // Complete once done(); before that, and after a failure, what was read so far.
  HttpRequest& request() { return request_; }

 private:
  using Base = boost::beast::http::basic_parser<true>;
  using View = boost::beast::string_view;
  using ErrorCodeRef = boost::beast::error_code&;

  void on_request_impl(boost::beast::http::verb verb, View method, View target, int version,
                       ErrorCodeRef ec) override;
  void on_response_impl(int code, View reason, int version, ErrorCodeRef ec) override;
  void on_field_impl(boost::beast::http::field field, View name, View value,
                     ErrorCodeRef ec) override;
  void on_header_impl(ErrorCodeRef ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCodeRef ec) override;
  std::size_t on_body_impl(View body, ErrorCodeRef ec) override;
  void on_chunk_header_impl(std::uint64_t size, View extensions, ErrorCodeRef ec) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, View body, ErrorCodeRef ec) override;
  void on_finish_impl(ErrorCodeRef ec) override;

  std::size_t put(std::string_view bytes, boost::beast::error_code& ec);
  void fail(unsigned status, std::string detail);
  void fail_too_large();
  void fail_from(const boost::beast::error_code& ec, std::string_view unread);
  void check_header();
  void set_host(std::string authority);

  HttpRequest request_;
  std::optional<HttpFailure> failure_;
  std::size_t max_header_bytes_;
  std::size_t max_body_bytes_;
  std::size_t header_bytes_ = 0;  // used so far
  int version_ = 11;
  int hosts_ = 0;
  bool started_ = false;
  bool header_done_ = false;
  bool done_ = false;
  bool expects_continue_ = false;
  bool unknown_encoding_ = false;
};

}  // namespace tars::net

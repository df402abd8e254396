// Bytes in, one HTTP/1.1 response out, its body piece by piece: Beast's parser, no socket.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace tars::net {

struct ResponseHead {
  unsigned status = 0;
  Headers headers;

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
};

// Parses one response (RFC 9112) to a request other than HEAD; interim 1xx responses are passed
// over. Bounded: 16 KiB of header, 128 fields, 16 KiB of anything between body bytes (chunk
// headers, trailers); the body has no bound here, because it is handed on. Not thread-safe.
class ResponseParser final : private boost::beast::http::basic_parser<false> {
 public:
  ResponseParser();

  // Takes all of `bytes`, appends what belongs to the body to `body`. io_error when it is no HTTP,
  // or when bytes come after the end.
  Result<void> feed(std::string_view bytes, std::string& body);
  // The peer has closed: an end where the body goes on until then, else io_error.
  Result<void> finish();

  bool started() const { return started_; }  // a byte has come
  bool head_done() const { return head_done_; }
  bool done() const { return done_; }
  // Of a response that is done: the connection may carry another request.
  bool keeps_alive() const { return done_ && keep_alive(); }
  const ResponseHead& head() const { return head_; }

 private:
  using Base = boost::beast::http::basic_parser<false>;
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

  Result<std::size_t> parse(std::string_view bytes);

  std::string unread_;  // of a line that is not whole yet
  std::string* body_ = nullptr;  // while feed() runs
  ResponseHead head_;
  std::size_t head_bytes_ = 0;  // of its fields
  bool started_ = false;
  bool head_done_ = false;
  bool done_ = false;
};

}  // namespace tars::net

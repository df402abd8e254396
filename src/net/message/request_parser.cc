#include "net/message/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>

#include "net/message/ascii.h"
#include "net/message/request_target.h"

namespace tars::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMaxFields = 128;
// Memory for a body grows with what arrives; a Content-Length alone reserves no more than this.
constexpr std::size_t kMaxReserve = 64 * 1024;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Where the request line names a version that Beast does not know, npos where it names none.
// `GET / HTTP/2.0` asks for a version we lack; `GET / FOO` is no HTTP at all, and HTTP/1.1 is
// found fault with only for what stands behind it.
std::size_t http_version_in(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find_first_of("\r\n"));
  const auto space = line.rfind(' ');
  if (space == std::string_view::npos) return std::string_view::npos;
  const auto word = line.substr(space + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_one = word.size() == 8 && word.starts_with("HTTP/") && digit(word[5]) &&
                      word[6] == '.' && digit(word[7]) && word != "HTTP/1.1" && word != "HTTP/1.0";
  return is_one ? space + 1 : std::string_view::npos;
}

// The same with HTTP/1.1 for a later 1.x, which is understood as that (RFC 9110 section 2.5);
// nullopt for everything else.
std::optional<std::string> as_http11(std::string_view bytes) {
  const std::size_t at = http_version_in(bytes);
  if (at == std::string_view::npos || bytes[at + 5] != '1') return std::nullopt;
  std::string out(bytes);
  out[at + 7] = '1';
  return out;
}

}  // namespace

RequestParser::RequestParser(std::size_t max_header_bytes, std::size_t max_body_bytes)
    : max_header_bytes_(max_header_bytes), max_body_bytes_(max_body_bytes) {
  // One piece of a chunked body at a time, each held against its limit.
  eager(false);
  header_limit(static_cast<std::uint32_t>(max_header_bytes));
  body_limit(max_body_bytes);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (!started_) {
    // RFC 9112 section 2.2: blank lines before the request line are skipped.
    used = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
    if (used == bytes.size()) return used;
    started_ = true;
    // Answers a TLS hello or other foreign bytes at once, not when their line would end.
    if (!is_token_char(bytes[used])) fail(400, "The bytes sent are no HTTP request.");
  }
  while (!failure_ && !done_ && used < bytes.size()) {
    boost::beast::error_code ec;
    const bool in_body = header_done_;
    const std::size_t body_before = request_.body.size();
    const std::size_t n = put(bytes.substr(used), ec);
    used += n;
    const bool is_cut = ec == http::error::need_more;
    if (ec && !is_cut && !failure_) fail_from(ec, bytes.substr(used));
    // Around the chunks Beast looks for a line's end without a limit.
    const std::size_t body_bytes = request_.body.size() - body_before;
    const std::size_t line_bytes = is_cut ? bytes.size() - used : n - body_bytes;
    if (in_body && !failure_ && line_bytes > max_header_bytes_) {
      fail(431, "A chunk's head or the trailers are larger than this server accepts.");
    }
    // Beast holds only what it is given at once against its limit.
    if (!in_body) header_bytes_ += n;
    const std::size_t pending = header_done_ ? 0 : bytes.size() - used;
    if (!in_body && !failure_ && header_bytes_ + pending > max_header_bytes_) fail_too_large();
    if (is_cut) break;
  }
  return used;
}

std::size_t RequestParser::put(std::string_view bytes, boost::beast::error_code& ec) {
  const std::size_t used = Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (ec != http::error::bad_version) return used;
  // Nothing was used: the request line is read as a whole.
  const auto known = as_http11(bytes);
  return known ? Base::put(boost::asio::const_buffer(known->data(), known->size()), ec) : used;
}

void RequestParser::fail(unsigned status, std::string detail) {
  failure_ = HttpFailure{status, std::move(detail)};
  done_ = false;
}

void RequestParser::fail_too_large() {
  fail(431, "The request line and headers are larger than the " +
                std::to_string(max_header_bytes_) +
                " bytes that this server accepts (HTTP_MAX_HEADER_BYTES).");
}

void RequestParser::fail_from(const boost::beast::error_code& ec, std::string_view unread) {
  if (ec == http::error::header_limit) {
    fail_too_large();
  } else if (ec == http::error::body_limit) {
    fail(413, "The body is larger than the " + std::to_string(max_body_bytes_) +
                  " bytes that this server accepts (HTTP_MAX_BODY_BYTES).");
  } else if (ec == http::error::bad_version && http_version_in(unread) != std::string_view::npos) {
    fail(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  } else {
    fail(400, "The request is malformed: " + ec.message() + ".");
  }
}

void RequestParser::on_request_impl(http::verb, View method, View target, int version,
                                    ErrorCodeRef) {
  request_.method = view(method);
  request_.target = view(target);
  version_ = version;
}

void RequestParser::on_field_impl(http::field field, View name, View value, ErrorCodeRef ec) {
  if (header_done_) return;  // a trailer
  if (request_.headers.size() >= kMaxFields) {
    fail(431, "The request has more than " + std::to_string(kMaxFields) + " header fields.");
    ec = http::error::header_limit;
    return;
  }
  if (field == http::field::host) ++hosts_;
  if (field == http::field::transfer_encoding && !equals_ignoring_case(view(value), "chunked")) {
    unknown_encoding_ = true;
  }
  if (field == http::field::expect && equals_ignoring_case(view(value), "100-continue")) {
    expects_continue_ = true;
  }
  request_.headers.emplace_back(view(name), view(value));
}

void RequestParser::on_header_impl(ErrorCodeRef ec) {
  header_done_ = true;
  check_header();
  if (failure_) ec = http::error::bad_field;
}

void RequestParser::check_header() {
  if (unknown_encoding_) return fail(501, "Only the transfer encoding `chunked` is understood.");
  if (version_ < 11) expects_continue_ = false;  // RFC 9110 section 10.1.1
  if (hosts_ > 1 || (version_ >= 11 && hosts_ == 0)) {
    return fail(400, "An HTTP/1.1 request needs one Host header.");
  }
  if (!is_host(request_.header("Host").value_or(""))) {
    return fail(400, "The Host header is no host name or address with an optional port.");
  }
  if (version_ < 11 && request_.header("Transfer-Encoding")) {
    return fail(400, "HTTP/1.0 has no transfer encoding.");
  }
  auto target = parse_request_target(request_.target);
  if (!target) return fail(400, target.error().message);
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  if (!target->authority.empty()) set_host(std::move(target->authority));
}

// What the request line names counts (RFC 9112 section 3.2.2).
void RequestParser::set_host(std::string authority) {
  for (auto& [name, value] : request_.headers) {
    if (!equals_ignoring_case(name, "Host")) continue;
    value = std::move(authority);
    return;
  }
  request_.headers.emplace_back("Host", std::move(authority));
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCodeRef) {
  if (length) request_.body.reserve(std::min<std::size_t>(*length, kMaxReserve));
}

std::size_t RequestParser::on_body_impl(View body, ErrorCodeRef) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t, View, ErrorCodeRef) {}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View body, ErrorCodeRef ec) {
  return on_body_impl(body, ec);
}

void RequestParser::on_finish_impl(ErrorCodeRef) { done_ = true; }

void RequestParser::on_response_impl(int, View, int, ErrorCodeRef) {}

}  // namespace tars::net

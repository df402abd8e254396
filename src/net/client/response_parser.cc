#include "net/client/response_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace tars::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::size_t kMaxFields = 128;

Error broken(const std::string& why) {
  return make_error(ErrorCode::io_error, "the answer is no HTTP/1.1: " + why);
}

bool is_interim(unsigned status) { return status >= 100 && status < 200 && status != 101; }

// Enough to tell an interim answer.
constexpr std::size_t kStatusLineBytes = std::string_view("HTTP/1.1 100").size();

bool is_interim_line(std::string_view bytes) {
  return bytes.starts_with("HTTP/1.1 1") && !bytes.starts_with("HTTP/1.1 101");
}

// "HTTP/1.1 100 Continue\r\n\r\n": its length once it is whole, 0 for anything else.
std::size_t interim_length(std::string_view bytes) {
  if (!is_interim_line(bytes)) return 0;
  const auto end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? 0 : end + 4;
}

}  // namespace

ResponseParser::ResponseParser() {
  eager(true);
  header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
  body_limit(boost::none);
}

Result<void> ResponseParser::feed(std::string_view bytes, std::string& body) {
  if (bytes.empty()) return {};
  started_ = true;
  body_ = &body;
  if (unread_.empty()) {
    auto used = parse(bytes);
    if (!used) return used.error();
    unread_ = bytes.substr(*used);
  } else {
    unread_ += bytes;
    auto used = parse(unread_);
    if (!used) return used.error();
    unread_.erase(0, *used);
  }
  if (done_ && !unread_.empty()) return broken("more came after its end");
  if (unread_.size() > kMaxHeadBytes) return broken("a line has no end");
  return {};
}

Result<std::size_t> ResponseParser::parse(std::string_view bytes) {
  std::size_t used = 0;
  if (head_.status == 0) {
    while (const std::size_t interim = interim_length(bytes.substr(used))) used += interim;
  }
  while (!done_ && used < bytes.size()) {
    boost::beast::error_code ec;
    const auto rest = bytes.substr(used);
    // Of an interim answer the rest has yet to come.
    const bool at_status_line = head_.status == 0;
    if (at_status_line && (rest.size() < kStatusLineBytes || is_interim_line(rest))) break;
    used += Base::put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (ec == http::error::need_more) break;
    if (ec) return broken(ec.message());
    if (is_interim(head_.status)) return broken("an interim answer in its place");
  }
  return used;
}

Result<void> ResponseParser::finish() {
  if (done_) return {};
  boost::beast::error_code ec;
  std::string none;
  body_ = &none;
  if (unread_.empty() && head_done_) Base::put_eof(ec);
  if (done_ && !ec) return {};
  return make_error(ErrorCode::io_error, "the connection was closed before the answer's end");
}

void ResponseParser::on_response_impl(int code, View, int, ErrorCodeRef) {
  head_.status = static_cast<unsigned>(code);
}

void ResponseParser::on_field_impl(http::field, View name, View value, ErrorCodeRef ec) {
  if (head_done_) return;  // a trailer
  // Beast holds only what it is given at once against its limit.
  head_bytes_ += name.size() + value.size();
  if (head_.headers.size() >= kMaxFields || head_bytes_ > kMaxHeadBytes) {
    ec = http::error::header_limit;
    return;
  }
  head_.headers.emplace_back(std::string_view(name.data(), name.size()),
                             std::string_view(value.data(), value.size()));
}

void ResponseParser::on_header_impl(ErrorCodeRef) { head_done_ = true; }

void ResponseParser::on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCodeRef) {}

std::size_t ResponseParser::on_body_impl(View body, ErrorCodeRef) {
  body_->append(body.data(), body.size());
  return body.size();
}

void ResponseParser::on_chunk_header_impl(std::uint64_t, View, ErrorCodeRef) {}

std::size_t ResponseParser::on_chunk_body_impl(std::uint64_t, View body, ErrorCodeRef) {
  body_->append(body.data(), body.size());
  return body.size();
}

void ResponseParser::on_finish_impl(ErrorCodeRef) { done_ = true; }

void ResponseParser::on_request_impl(http::verb, View, View, int, ErrorCodeRef) {}

}  // namespace tars::net

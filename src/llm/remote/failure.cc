#include "llm/remote/failure.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include "llm/remote/json_fields.h"

namespace tars::llm {
namespace {

constexpr std::chrono::seconds kShortestPause{1};
constexpr std::chrono::seconds kLongestPause{3600};
constexpr std::size_t kShortestSecret = 8;

// An HTTP-date in the form that is to be sent (RFC 9110 section 5.6.7): seconds since 1970.
std::optional<std::time_t> date_in(std::string_view text) {
  const std::string whole(text);
  std::tm parts{};
  const char* const end = ::strptime(whole.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

// RFC 9110 section 10.2.3: seconds, or a date, which is held against the server's own Date where it
// has one, since clocks differ. nullopt: it does not say.
std::optional<std::chrono::seconds> retry_after(const net::ResponseHead& head) {
  const auto value = head.header("Retry-After");
  if (!value) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  const bool is_number = end == value->data() + value->size();
  if (is_number && error == std::errc::result_out_of_range) return kLongestPause;
  if (!is_number || error != std::errc()) {
    const auto then = date_in(*value);
    if (!then) return std::nullopt;
    const auto date = head.header("Date");
    const auto now = date ? date_in(*date) : std::nullopt;
    seconds = *then - now.value_or(std::time(nullptr));
  }
  return std::clamp(std::chrono::seconds(seconds), kShortestPause, kLongestPause);
}

// A 404 that is no model server's word about a model: a page, or "no such route".
bool is_about_the_address(std::string_view body) {
  const std::string said = error_words(body);
  return said.empty() || said == "Not Found" || said == "File Not Found";
}

Failure busy(const net::ResponseHead& head, const net::Endpoint& host, const std::string& said) {
  Error error = make_error(ErrorCode::overloaded, host.url() + " is busy" + said);
  const std::optional<std::chrono::seconds> said_pause = retry_after(head);
  error.retry_after = said_pause.value_or(kUsualPause);
  return {.error = std::move(error), .rest = said_pause.value_or(std::chrono::seconds(0))};
}

int rank(ErrorCode code) {
  switch (code) {
    case ErrorCode::overloaded: return 4;
    case ErrorCode::model_not_found: return 3;
    case ErrorCode::context_overflow: return 2;
    case ErrorCode::generation_error: return 1;
    default: return 0;
  }
}

// `said` follows every sentence: empty, or the server's own words behind a colon.
Failure judge(const net::ResponseHead& head, std::string_view body, const net::Endpoint& host,
              const std::string& model, const std::string& said) {
  const std::string status = std::to_string(head.status);
  const auto fail = [](ErrorCode code, std::string message) {
    return Failure{.error = make_error(code, std::move(message))};
  };
  if (is_busy_status(head.status)) return busy(head, host, said);
  if (head.status == 404 && is_about_the_address(body)) {
    return fail(
        ErrorCode::backend_unavailable,
        host.url() + " has no chat there (404): is the address right, with its path?" + said);
  }
  if (head.status == 404 || error_field(body, "code") == "model_not_found") {
    Failure out = fail(ErrorCode::model_not_found,
                       host.url() + " does not serve the model '" + model + "'" + said);
    out.host_did_badly = false;
    return out;
  }
  if (head.status == 401 || head.status == 403) {
    return fail(ErrorCode::backend_unavailable,
                host.url() + " refuses this server (" + status + ")" + said);
  }
  if (head.status >= 300 && head.status < 400) {
    return fail(ErrorCode::backend_unavailable,
                host.url() +
                    " answers with a redirect, which is not followed: configure the "
                    "address it redirects to");
  }
  if (head.status == 502 || head.status == 504) {
    Failure out = fail(ErrorCode::backend_unavailable,
                       host.url() + " has no model server behind it (" + status + ")" + said);
    out.host_is_down = true;
    return out;
  }
  // Some say so with a 500, LocalAI for one.
  const bool too_long = head.status == 413 || is_about_length(body);
  // 408 says that this host gave up waiting, not that the request is bad.
  const bool refused = head.status >= 400 && head.status < 500 && head.status != 408;
  if (refused || too_long) {
    Failure out = fail(too_long ? ErrorCode::context_overflow : ErrorCode::generation_error,
                       "the model server refused the request (" + status + ")" + said);
    out.others_may_answer = false;
    out.host_did_badly = false;
    return out;
  }
  return fail(ErrorCode::generation_error, "the model server failed (" + status + ")" + said);
}

}  // namespace

Failure transport_failure(const Error& error, const net::Endpoint& host) {
  Failure out;
  if (error.code == ErrorCode::overloaded) {
    out.error = error;
    out.error.retry_after = kShortestPause;
    out.is_our_want = true;
    out.others_may_answer = false;
    out.host_did_badly = false;
    return out;
  }
  out.error = make_error(ErrorCode::backend_unavailable, error.message);
  switch (error.code) {
    case ErrorCode::timeout:
      out.error.message = host.url() + " gave no answer in time";
      out.host_is_down = true;
      out.timed_out = true;
      break;
    case ErrorCode::backend_unavailable: out.host_is_down = true; break;
    case ErrorCode::closed:
      out.others_may_answer = false;
      out.host_did_badly = false;
      break;
    default: break;
  }
  out.error.message = naming(host, std::move(out.error.message));
  return out;
}

Failure silent(const net::Endpoint& host) {
  return {.error = make_error(ErrorCode::backend_unavailable,
                              host.url() + " answers neither the request nor a check"),
          .host_is_down = true};
}

Failure refusal(const net::ResponseHead& head, std::string_view body, const net::Endpoint& host,
                const std::string& model) {
  const std::string text = error_words(body);
  Failure out = judge(head, body, host, model, text.empty() ? "" : ": " + text);
  // Not every sentence has them in it.
  if (out.error.message.ends_with(text)) out.error.quoted = text;
  return out;
}

Failure said_in_stream(Error error) {
  Failure out{.error = std::move(error)};
  const ErrorCode code = out.error.code;
  out.others_may_answer = code != ErrorCode::context_overflow;
  out.host_did_badly = code != ErrorCode::context_overflow && code != ErrorCode::model_not_found;
  return out;
}

const Error& more_telling(const Error& a, const Error& b) {
  if (a.code == b.code && a.retry_after && b.retry_after) {
    return *b.retry_after < *a.retry_after ? b : a;  // either will do
  }
  return rank(b.code) > rank(a.code) ? b : a;
}

Error broken_off(const Failure& failure) {
  const Error& error = failure.error;
  if (error.code == ErrorCode::generation_error) return error;
  if (failure.timed_out) {
    return make_error(ErrorCode::generation_error,
                      "the model server stopped in the middle: no token came in time");
  }
  Error out =
      make_error(ErrorCode::generation_error,
                 "the model server broke off in the middle of the answer: " + error.message);
  out.quoted = error.quoted;
  return out;
}

std::string naming(const net::Endpoint& host, std::string message) {
  return message.find(host.url()) == std::string::npos ? host.url() + ": " + message : message;
}

std::string without_secret(std::string text, std::string_view secret) {
  if (secret.size() < kShortestSecret) return text;
  constexpr std::string_view kInstead = "[the key]";
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kInstead.size())) {
    text.replace(at, secret.size(), kInstead);
  }
  for (std::size_t size = secret.size() - 1; size >= kShortestSecret; --size) {
    if (!text.ends_with(secret.substr(0, size))) continue;
    text.replace(text.size() - size, size, kInstead);
    break;
  }
  return text;
}

}  // namespace tars::llm

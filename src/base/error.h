// The closed set of errors that cross module borders. Only api/ knows how one looks on the wire.
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tars {

// What went wrong, as the caller may tell it apart. api/error_table.cc maps each to an HTTP status,
// a WebSocket code and a title; a test fails when one is missing there.
enum class ErrorCode {
  invalid_json,  // the bytes are no JSON
  invalid_message,  // JSON of the wrong shape or a field out of range
  invalid_request,  // an HTTP body or query with a bad field (422)
  unsupported_media_type,
  payload_too_large,
  method_not_allowed,
  not_found,
  unauthorized,  // no credentials were sent
  invalid_token,  // bad, expired, wrong type, unknown key
  token_revoked,
  forbidden,
  rate_limited,
  overloaded,
  draining,  // the server is shutting down
  model_not_found,
  backend_unavailable,
  generation_error,
  context_overflow,
  run_not_found,
  history_lost,
  store_unavailable,  // the database cannot be read or written
  timeout,
  closed,  // the peer or the owner went away
  io_error,  // files and sockets; message carries errno's text
  config_error,  // names the option and the fix
  internal,
};

struct FieldError {
  std::string field;
  std::string message;
};

// An expected outcome that is not success. `message` is for people: it names the cause and the fix,
// and never contains a token or prompt text, but in what it quotes.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::vector<FieldError> fields = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  // The part of `message` that another program said. It may repeat the prompt, so it is for whoever
  // asked, and for no log.
  std::string quoted = {};
};

template <class T>
using Result = boost::system::result<T, Error>;

// The exception behind Result::value() on an error: a fault, caught once per session.
class ErrorException : public std::runtime_error {
 public:
  explicit ErrorException(Error e) : std::runtime_error(e.message), error(std::move(e)) {}
  Error error;
};

[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
  throw ErrorException(e);
}

// The message without what it quotes.
inline std::string for_log(const Error& error) {
  if (error.quoted.empty()) return error.message;
  const std::size_t at = error.message.find(error.quoted);
  // Changed since: then nothing tells the quotation from the rest.
  if (at == std::string::npos) return "[its own words are not logged]";
  return std::string(error.message)
      .replace(at, error.quoted.size(), "[its own words are not logged]");
}

inline Error make_error(ErrorCode code, std::string message) {
  return Error{code, std::move(message)};
}

}  // namespace tars

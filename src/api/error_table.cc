#include "api/error_table.h"

#include <array>

namespace tars::api {
namespace {

using enum ErrorCode;

constexpr std::array kTable = {
    ErrorRow{invalid_json, "INVALID_JSON", 422, "INVALID_JSON", "Malformed JSON"},
    ErrorRow{invalid_message, "INVALID_MESSAGE", 422, "INVALID_MESSAGE", "Invalid message"},
    ErrorRow{invalid_request, "INVALID_REQUEST", 422, "INVALID_MESSAGE", "Invalid request"},
    ErrorRow{unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", 415, "INVALID_MESSAGE",
             "Unsupported media type"},
    ErrorRow{payload_too_large, "PAYLOAD_TOO_LARGE", 413, "INVALID_MESSAGE", "Payload too large"},
    ErrorRow{method_not_allowed, "METHOD_NOT_ALLOWED", 405, "INVALID_MESSAGE",
             "Method not allowed"},
    ErrorRow{not_found, "NOT_FOUND", 404, "RUN_NOT_FOUND", "Not found"},
    ErrorRow{unauthorized, "UNAUTHORIZED", 401, "TOKEN_REVOKED", "Authentication needed"},
    ErrorRow{invalid_token, "INVALID_TOKEN", 401, "TOKEN_REVOKED", "Token refused"},
    ErrorRow{token_revoked, "TOKEN_REVOKED", 401, "TOKEN_REVOKED", "Token revoked"},
    ErrorRow{forbidden, "FORBIDDEN", 403, "INVALID_MESSAGE", "Not allowed"},
    ErrorRow{rate_limited, "RATE_LIMITED", 429, "RATE_LIMITED", "Too many requests"},
    ErrorRow{overloaded, "OVERLOADED", 503, "OVERLOADED", "Overloaded"},
    ErrorRow{draining, "DRAINING", 503, "BACKEND_UNAVAILABLE", "Shutting down"},
    ErrorRow{model_not_found, "MODEL_NOT_FOUND", 404, "MODEL_NOT_FOUND", "Unknown model"},
    ErrorRow{backend_unavailable, "BACKEND_UNAVAILABLE", 503, "BACKEND_UNAVAILABLE",
             "Model not available"},
    ErrorRow{generation_error, "GENERATION_ERROR", 500, "GENERATION_ERROR", "Generation failed"},
    ErrorRow{context_overflow, "CONTEXT_OVERFLOW", 422, "CONTEXT_OVERFLOW",
             "Message too long for the model"},
    ErrorRow{run_not_found, "RUN_NOT_FOUND", 404, "RUN_NOT_FOUND", "Unknown run"},
    ErrorRow{history_lost, "HISTORY_LOST", 410, "HISTORY_LOST", "Answer cut short"},
    ErrorRow{store_unavailable, "STORE_UNAVAILABLE", 503, "INTERNAL", "Store not available"},
    ErrorRow{timeout, "TIMEOUT", 504, "GENERATION_ERROR", "Timed out"},
    ErrorRow{closed, "CLOSED", 503, "BACKEND_UNAVAILABLE", "Connection closed"},
    ErrorRow{io_error, "IO_ERROR", 500, "INTERNAL", "Input or output failed"},
    ErrorRow{config_error, "CONFIG_ERROR", 500, "INTERNAL", "Configuration error"},
    ErrorRow{internal, "INTERNAL", 500, "INTERNAL", "Internal error"},
};

}  // namespace

std::span<const ErrorRow> error_table() { return kTable; }

const ErrorRow& error_row(ErrorCode code) {
  for (const ErrorRow& row : kTable) {
    if (row.code == code) return row;
  }
  return kTable.back();
}

std::string_view token_error_text(std::string_view word) {
  if (word == "token_missing") {
    return "Send an access token as Authorization: Bearer <token>; POST /auth/token gives one";
  }
  if (word == "token_expired")
    return "Token has expired; get a new pair at POST /auth/refresh or POST /auth/token";
  if (word == "token_not_yet_valid")
    return "Token is not valid yet: compare the clocks of whoever made it and of this server";
  if (word == "token_revoked") return "Token has been revoked; get a new one at POST /auth/token";
  if (word == "token_wrong_type") return "Invalid token type";
  if (word == "token_invalid") return "Invalid token; get a new one at POST /auth/token";
  return word;
}

}  // namespace tars::api

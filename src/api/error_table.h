// The one table from error codes to the wire.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"

namespace tars::api {

struct ErrorRow {
  ErrorCode code;
  std::string_view name;     // `code` of a problem document
  unsigned status;           // HTTP
  std::string_view ws_code;  // `code` of an `error` frame
  std::string_view title;
};

// Every ErrorCode, once.
std::span<const ErrorRow> error_table();
const ErrorRow& error_row(ErrorCode code);

// The close reasons and problem details of a refused token: the auth module's short word
// (token_expired …) as a sentence that says what to do.
std::string_view token_error_text(std::string_view word);

}  // namespace tars::api

// One HTTP request on its way through the routes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http/trace.h"
#include "auth/token_service.h"
#include "net/http.h"

namespace tars::api {

// Lives in the frame of Gateway::handle; handlers borrow it for the length of their answer.
struct Call {
  const net::HttpRequest& request;
  Trace trace;
  std::string parameter;                   // what stood for {name} in the route's path
  std::optional<std::string_view> bearer;  // what bearer_token() says: empty where it is no good
  std::optional<auth::Claims> claims;  // set when the route asks for a bearer and it was good
};

}  // namespace tars::api

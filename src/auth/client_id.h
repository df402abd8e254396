// Who may be named in a token.
#pragma once

#include <string_view>

namespace tars::auth {

// 1–128 of A-Za-z0-9._:@-
bool is_client_id(std::string_view text);

}  // namespace tars::auth

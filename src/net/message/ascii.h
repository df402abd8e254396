// Character rules of HTTP (RFC 9110 section 5.6), the same in every locale.
#pragma once

#include <string_view>

namespace tars::net {

bool equals_ignoring_case(std::string_view a, std::string_view b);

// One character of a token: what header names, methods and subprotocols are made of.
bool is_token_char(char c);
bool is_token(std::string_view text);

// A header value that cannot end its line: no CR, LF, NUL or other control character but tab.
bool is_field_value(std::string_view text);

// Without the spaces and tabs around it: what stands between the commas of a list.
std::string_view trimmed(std::string_view text);

// Whether a comma separated header value such as `Connection: keep-alive, Upgrade` lists `token`;
// what an element has behind a `;` does not matter.
bool lists_token(std::string_view value, std::string_view token);

}  // namespace tars::net

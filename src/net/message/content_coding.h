// Which form of a body the peer takes.
#pragma once

#include <string_view>

namespace tars::net {

// Whether an Accept-Encoding value (RFC 9110 section 12.5.3) takes `coding`: it is listed, or `*`
// is, and not with q=0. What is malformed counts as not listed.
bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

}  // namespace tars::net

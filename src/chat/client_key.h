// Ids are each client's own: two clients may use the same one.
#pragma once

#include <string>
#include <string_view>

namespace tars::chat {

// Stands for `id` of that client, and for no other id and client.
std::string client_key(std::string_view client_id, std::string_view id);

}  // namespace tars::chat

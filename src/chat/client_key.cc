#include "chat/client_key.h"

namespace tars::chat {

std::string client_key(std::string_view client_id, std::string_view id) {
  // The length says where the client's name ends, whatever is in it.
  return std::to_string(client_id.size()) + ':' + std::string(client_id) + std::string(id);
}

}  // namespace tars::chat

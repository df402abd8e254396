#include "net/websocket.h"

namespace tars::net {

boost::asio::awaitable<Result<void>> WebSocket::write_binary(std::string_view) {
  co_return make_error(ErrorCode::internal, "this WebSocket sends text only");
}

}  // namespace tars::net

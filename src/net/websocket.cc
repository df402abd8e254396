#include "net/websocket.h"

namespace tars::net {

boost::asio::awaitable<Result<void>> WebSocket::write_binary(std::string_view) {
  co_return make_error(ErrorCode::internal, "this WebSocket sends text only");
}

void WebSocket::when_peer_closes(std::function<void()>) {}

bool WebSocket::write_now(std::string_view) { return false; }

boost::asio::awaitable<Result<void>> WebSocket::flush() { co_return Result<void>(); }

}  // namespace tars::net

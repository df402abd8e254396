#include "net/websocket.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace tars::net {
namespace {

namespace asio = boost::asio;

// A double that sends text only.
class TextOnly final : public WebSocket {
 public:
  asio::awaitable<Result<WsMessage>> read() override { co_return WsMessage{}; }
  asio::awaitable<Result<void>> write(std::string_view) override { co_return Result<void>(); }
  asio::awaitable<Result<void>> ping() override { co_return Result<void>(); }
  asio::awaitable<void> close(CloseCode, std::string_view) override { co_return; }
  void abort(CloseCode, std::string_view) override {}
  const WsClosed& closed() const override { return closed_; }
  std::chrono::steady_clock::time_point last_activity() const override { return {}; }
  std::uint64_t bytes_written() const override { return 0; }
  asio::any_io_executor executor() const override { return {}; }

 private:
  WsClosed closed_;
};

TEST(WebSocket, BinaryIsRefusedWhereItIsNotImplemented) {
  asio::io_context context;
  TextOnly socket;
  auto result = asio::co_spawn(context, socket.write_binary("x"), asio::use_future);
  context.run();
  EXPECT_EQ(result.get().error().code, ErrorCode::internal);
}

TEST(WebSocket, AnEndWithoutWordIsAbnormal) {
  EXPECT_EQ(WsClosed{}.code, CloseCode::abnormal);
  EXPECT_EQ(static_cast<int>(CloseCode::abnormal), 1006);
}

}  // namespace
}  // namespace tars::net

#include "net/client/http_client.h"

#include <gtest/gtest.h>

#include "local_peer.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;

TEST(HttpClient, NothingWorksAfterItsClose) {
  boost::asio::io_context context{1};
  net::testing::LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  HttpClient client(context, {});
  const auto before = client.open(peer.endpoint());
  EXPECT_EQ(client.open_exchanges(), 1U);
  client.close();
  const auto after = client.open(peer.endpoint());
  for (Exchange* exchange : {before.get(), after.get()}) {
    const auto started = net::testing::run(context, exchange->start({}, 5s));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::closed);
  }
}

TEST(HttpClient, AClientThatIsClosedLeavesNoTimer) {
  boost::asio::io_context context{1};
  {
    HttpClient client(context, {});
    const auto exchange = client.open({.host = "127.0.0.1", .port = 1});
  }
  EXPECT_LE(context.run_for(5s), 2U);
  EXPECT_TRUE(context.stopped());
}

}  // namespace
}  // namespace tars::net

#include "app/control/control_desk.h"

#include <map>
#include <string>

#include "control_fixture.h"

namespace tars::app {
namespace {

using What = ControlRequest::What;
using ControlDeskTest = ControlFixture;

TEST_F(ControlDeskTest, IssuesAPairThatTheServerTakes) {
  const IssuedPair pair = *ask(issue("alice"))->pair;
  const auth::Claims claims =
      tokens_->verify(pair.tokens.access_token, auth::TokenType::access).value();
  EXPECT_EQ(claims.client_id, "alice");
  EXPECT_EQ(claims.family, pair.family);
  EXPECT_EQ(claims.device_name, "Phone");
  EXPECT_EQ(ask(issue("no good")).error().code, ErrorCode::invalid_request);
}

TEST_F(ControlDeskTest, ListsFamiliesWithTheirSockets) {
  const std::string alice = ask(issue("alice"))->pair->family;
  const std::string bob = ask(issue("bob"))->pair->family;
  ControlRequest list{.what = What::families};
  std::map<std::string, std::size_t> sockets;  // ids of one millisecond come in any order
  const WallTime asked = clock_.wall();
  const auto all = ask(list)->families;
  for (const auto& entry : all) sockets[entry.device.family] = entry.sockets;
  EXPECT_EQ(sockets, (std::map<std::string, std::size_t>{{alice, 2}, {bob, 0}}));
  // Who is connected is seen now.
  for (const auto& entry : all) {
    EXPECT_EQ(entry.device.last_seen_at >= asked, entry.device.family == alice);
  }
  list.query.client_id = "bob";
  EXPECT_EQ(ask(list)->families.size(), 1U);
}

TEST_F(ControlDeskTest, RevokesAFamilyOfAnyClient) {
  const IssuedPair pair = *ask(issue("alice"))->pair;
  ASSERT_TRUE(ask(revoke(pair.family)));
  EXPECT_FALSE(tokens_->verify_any(pair.tokens.access_token));
  const auto again = ask(revoke(pair.family));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, testing::HasSubstr("there is no device " + pair.family));
}

TEST_F(ControlDeskTest, TellsOfTheServer) {
  const RunningServer server = *ask({})->server;
  EXPECT_EQ(server.model_path, "/m.gguf");
  EXPECT_EQ(server.backends.at(0).model, "m");
}

}  // namespace
}  // namespace tars::app

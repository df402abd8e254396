#include "api/ws/hub.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

class Listed : public LiveSession {
 public:
  Listed(std::string id, std::string client, std::string family) {
    info_.session_id = std::move(id);
    info_.claims.client_id = std::move(client);
    info_.claims.family = std::move(family);
    info_.claims.token_id = "tok";
  }
  const SessionInfo& info() const override { return info_; }
  const SessionFigures& figures() const override { return figures_; }
  void revoke() override { ++revoked; }
  void drain() override { ++drained; }
  void shut(net::CloseCode, std::string) override { ++shut_; }
  void store_changed(const std::string& trouble) override { told = trouble; }
  SessionInfo info_;
  SessionFigures figures_;
  int revoked = 0;
  int drained = 0;
  int shut_ = 0;
  std::string told;
};

TEST(Hub, BoundsConnectionsInAllAndPerClient) {
  Hub hub(3, 2);
  const auto a = std::make_shared<Listed>("1", "a", "f");
  ASSERT_TRUE(hub.add(a));
  ASSERT_TRUE(hub.add(std::make_shared<Listed>("2", "a", "f")));
  EXPECT_EQ(hub.add(std::make_shared<Listed>("3", "a", "f")).error().message,
            "too_many_connections_for_client");
  ASSERT_TRUE(hub.add(std::make_shared<Listed>("4", "b", "g")));
  EXPECT_EQ(hub.add(std::make_shared<Listed>("5", "c", "h")).error().message,
            "too_many_connections");
  hub.remove(a->info());
  hub.remove(a->info());
  EXPECT_TRUE(hub.add(std::make_shared<Listed>("6", "a", "f")));
  EXPECT_EQ(hub.totals().active_connections, 3U);
  EXPECT_EQ(hub.totals().unique_clients, 2U);
  EXPECT_EQ(hub.totals().connections, 4U);
}

TEST(Hub, RevokesAFamilyOrOneToken) {
  Hub hub(8, 8);
  const auto mine = std::make_shared<Listed>("1", "a", "f");
  const auto other = std::make_shared<Listed>("2", "a", "g");
  ASSERT_TRUE(hub.add(mine));
  ASSERT_TRUE(hub.add(other));
  hub.revoke({"a", "f", "another"});
  hub.revoke({"b", "f", ""});
  EXPECT_EQ(mine->revoked, 0);
  hub.revoke({"a", "f", "tok"});
  hub.revoke({"a", "f", ""});
  EXPECT_EQ(mine->revoked, 2);
  EXPECT_EQ(other->revoked, 0);
  EXPECT_EQ(hub.revocations(), 4U);
}

TEST(Hub, ListsAndCounts) {
  Hub hub(8, 8);
  const auto busy = std::make_shared<Listed>("1", "a", "f");
  busy->figures_.active_runs = 1;
  const auto idle = std::make_shared<Listed>("2", "b", "f");
  ASSERT_TRUE(hub.add(busy));
  ASSERT_TRUE(hub.add(idle));
  EXPECT_EQ(hub.sessions("a").size(), 1U);
  EXPECT_EQ(hub.sessions("").size(), 2U);
  EXPECT_EQ(hub.sockets_of("a", "f"), 1U);
  hub.set_store_trouble("x");
  EXPECT_EQ(hub.store_trouble(), "x");
  hub.drain();
  hub.close_all(net::CloseCode::going_away, "");
  EXPECT_EQ(busy->told, "x");
  EXPECT_EQ(idle->told, "x");
  EXPECT_EQ(idle->drained + idle->shut_, 2);
}

}  // namespace
}  // namespace tars::api

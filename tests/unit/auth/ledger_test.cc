#include "auth/ledger.h"

#include <gtest/gtest.h>

#include "auth_fixture.h"

namespace tars::auth {
namespace {

Claims claims(const std::string& family) {
  Claims out;
  out.client_id = "alice";
  out.family = family;
  out.device_name = "Phone";
  out.issued_at = 1000;
  return out;
}

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

class LedgerTest : public ::testing::Test {
 protected:
  Ledger ledger_ = Ledger::open(":memory:").value();
};

TEST_F(LedgerTest, NotesAFamilyOnceAndMovesItsTimesForwardOnly) {
  ASSERT_TRUE(ledger_.note_family(claims("f"), at(1000), 2000));
  ASSERT_TRUE(ledger_.note_family(claims("f"), at(1500), 3000));
  ASSERT_TRUE(ledger_.note_family(claims("f"), at(1200), 2500));
  const auto list = ledger_.families({.client_id = "alice"}, 3000).value();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].created_at, at(1000));
  EXPECT_EQ(list[0].last_seen_at, at(1500));
  EXPECT_TRUE(ledger_.families({.client_id = "alice"}, 3001)->empty());
  EXPECT_TRUE(ledger_.families({.client_id = "bob"}, 0)->empty());
}

TEST_F(LedgerTest, RevokesAFamilyOnceForAsLongAsItLives) {
  ASSERT_TRUE(ledger_.note_family(claims("f"), at(1000), 9000));
  EXPECT_EQ(ledger_.client_of("f").value(), "alice");
  EXPECT_EQ(ledger_.revoke_family("f", 5000).value(), 9000);
  EXPECT_EQ(ledger_.revoke_family("f", 5000).value(), std::nullopt);
  EXPECT_EQ(ledger_.revoke_family("unknown", 5000).value(), 5000);
  EXPECT_TRUE(ledger_.is_family_revoked("f").value());
  EXPECT_FALSE(ledger_.is_family_revoked("g").value());
  EXPECT_EQ(ledger_.client_of("f").value(), std::nullopt);
  EXPECT_TRUE(ledger_.families({.client_id = "alice"}, 0)->empty());
}

TEST_F(LedgerTest, ListsTheFamiliesOfAllClientsByPages) {
  for (const char* family : {"a", "b", "c", "d"}) {
    Claims of_family = claims(family);
    if (*family == 'c') of_family.client_id = "bob";
    ASSERT_TRUE(ledger_.note_family(of_family, at(1000), 2000));
  }
  ASSERT_TRUE(ledger_.revoke_family("b", 5000));
  const auto first = ledger_.families({.limit = 2}, 1500).value();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].family, "d");
  EXPECT_EQ(first[1].family, "c");
  EXPECT_EQ(first[1].client_id, "bob");
  const auto rest = ledger_.families({.after = "c", .limit = 2}, 1500).value();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].family, "a");
  EXPECT_EQ(ledger_.families({.client_id = "alice", .after = "d"}, 1500)->at(0).family, "a");
  EXPECT_EQ(ledger_.families({.client_id = "bob"}, 1500)->size(), 1U);
  EXPECT_TRUE(ledger_.families({}, 2001)->empty());
}

TEST_F(LedgerTest, TellsASpentTokenFromARevokedOne) {
  EXPECT_TRUE(ledger_.end_token("spent", 5000, at(1234)).value());
  EXPECT_TRUE(ledger_.end_token("revoked", 5000, std::nullopt).value());
  EXPECT_FALSE(ledger_.end_token("spent", 5000, at(9999)).value());
  EXPECT_EQ((*ledger_.death_of("spent").value()).spent_at, at(1234));
  EXPECT_EQ((*ledger_.death_of("revoked").value()).spent_at, std::nullopt);
  EXPECT_FALSE(ledger_.death_of("good").value());
}

TEST_F(LedgerTest, PrunesInPiecesWhatExpired) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(ledger_.end_token("t" + std::to_string(i), 1000 + i, std::nullopt));
  }
  EXPECT_TRUE(ledger_.prune(1005, 2)->more);
  while (ledger_.prune(1005, 2)->more) {
  }
  DeadTokens dead;
  ASSERT_TRUE(ledger_.load(dead));
  EXPECT_EQ(dead.size(), 5U);
  EXPECT_FALSE(dead.contains("", "t4"));
  EXPECT_TRUE(dead.contains("", "t5"));
  EXPECT_EQ(dead.pruned_until(), 1005);
  ASSERT_TRUE(ledger_.prune(900, 2));
  DeadTokens again;
  ASSERT_TRUE(ledger_.load(again));
  EXPECT_EQ(again.pruned_until(), 1005) << "the mark never goes back";
}

TEST_F(LedgerTest, AClockFarAheadDoesNotEndWhatComesLater) {
  ASSERT_TRUE(ledger_.end_token("t", 1000, std::nullopt));
  EXPECT_EQ(ledger_.prune(9'000'000, 10)->until, 1001);
  EXPECT_EQ(ledger_.prune(9'000'000, 10)->until, 1001);
  EXPECT_EQ(Ledger::open(":memory:")->prune(9'000'000, 10)->until, 0);
}

TEST_F(LedgerTest, AForgottenFamilyMovesNoMarkButTheLifeOfItsRevocation) {
  ASSERT_TRUE(ledger_.note_family(claims("f"), at(1000), 2000));
  EXPECT_EQ(ledger_.prune(2000, 10)->until, 0);
  EXPECT_TRUE(ledger_.client_of("f").value());
  EXPECT_EQ(ledger_.prune(9'000'000, 10)->until, 0);
  EXPECT_FALSE(ledger_.client_of("f").value());
  EXPECT_EQ(ledger_.revoke_family("f", 1500).value(), 2000) << "as its row would have said";
  EXPECT_EQ(ledger_.revoke_family("g", 2500).value(), 2500);
}

TEST_F(LedgerTest, HasANameOfItsOwn) {
  Ledger other = Ledger::open(":memory:").value();
  EXPECT_EQ(ledger_.generation().value().size(), 32U);
  EXPECT_EQ(ledger_.generation().value(), ledger_.generation().value());
  EXPECT_NE(ledger_.generation().value(), other.generation().value());
}

TEST_F(LedgerTest, ProbesThatItCanWrite) { EXPECT_TRUE(ledger_.probe()); }

}  // namespace
}  // namespace tars::auth

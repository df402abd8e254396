#include "api/http/trace.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

constexpr std::string_view kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, JoinsAWellFormedOne) {
  const Trace trace = join_trace(kGood);
  EXPECT_EQ(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace.traceparent.size(), 55U);
  EXPECT_TRUE(trace.traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_NE(trace.traceparent, kGood);
}

TEST(Trace, PassesOnWhetherItIsRecorded) {
  const std::string head(kGood.substr(0, 53));
  for (const auto& [flags, passed] :
       {std::pair{"00", "-00"}, {"01", "-01"}, {"08", "-00"}, {"ff", "-01"}}) {
    EXPECT_TRUE(join_trace(head + flags).traceparent.ends_with(passed)) << flags;
  }
  EXPECT_TRUE(join_trace("01" + head.substr(2) + "09-more").traceparent.ends_with("-01"));
}

TEST(Trace, IgnoresWhatIsMalformed) {
  EXPECT_TRUE(join_trace(std::nullopt).trace_id.empty());
  for (const char* bad : {"", "00-x", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"}) {
    EXPECT_TRUE(join_trace(bad).trace_id.empty()) << bad;
  }
}

TEST(Trace, TwoHeadersAreNone) {
  const std::pair<std::string, std::string> one("Traceparent", kGood);
  EXPECT_FALSE(join_trace(net::Headers{one}).trace_id.empty());
  EXPECT_TRUE(join_trace(net::Headers{one, one}).trace_id.empty());
  EXPECT_TRUE(join_trace(net::Headers{}).trace_id.empty());
}

}  // namespace
}  // namespace tars::api

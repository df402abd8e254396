#include "llm/remote/host_set.h"

#include <gmock/gmock.h>

#include <functional>

namespace tars::llm {
namespace {

using Names = std::vector<std::string>;

std::vector<net::Endpoint> hosts(std::size_t n) {
  std::vector<net::Endpoint> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back({.host = "h" + std::to_string(i)});
  return out;
}

const SteadyTime kNow{std::chrono::hours{1}};

std::optional<std::size_t> next(HostSet& set, const std::vector<std::size_t>& tried,
                                std::string_view model = "m", SteadyTime now = kNow) {
  return set.acquire(tried, model, now);
}

TEST(HostSet, TheLeastBusyIsNextTheFirstOfSeveral) {
  HostSet set(hosts(3));
  EXPECT_EQ(next(set, {}), 0U);
  EXPECT_EQ(next(set, {}), 1U);
  EXPECT_EQ(next(set, {}), 2U);
  EXPECT_EQ(next(set, {}), 0U);
  set.release(1);
  EXPECT_EQ(next(set, {}), 1U);
  EXPECT_EQ(set.busy(), (std::vector<std::size_t>{2, 1, 1}));
}

TEST(HostSet, AFailedHostIsAskedOnlyWhenNoOtherIsLeftAndComesBack) {
  HostSet set(hosts(2));
  EXPECT_TRUE(set.set_failed(0, "refused", {}));
  EXPECT_FALSE(set.set_failed(0, "refused", {}));
  EXPECT_EQ(next(set, {}), 1U);
  EXPECT_EQ(next(set, {}), 1U);
  EXPECT_EQ(next(set, {1}), 0U);
  EXPECT_EQ(next(set, {1, 0}), std::nullopt);
  EXPECT_TRUE(set.set_working(0, {}, {}));
  set.release(0);
  EXPECT_EQ(next(set, {}), 0U);
}

TEST(HostSet, AHostThatWorksGoesBeforeOneThatNothingIsKnownOf) {
  HostSet set(hosts(3));
  set.set_failed(0, "refused", {});
  set.set_working(2, {}, {});
  EXPECT_EQ(next(set, {}), 2U);
  EXPECT_EQ(next(set, {}), 2U) << "busy as it is";
  EXPECT_EQ(next(set, {2}), 1U);
  EXPECT_EQ(next(set, {1, 2}), 0U);
}

TEST(HostSet, HealthIsThatOfTheBest) {
  HostSet set(hosts(2));
  EXPECT_EQ(set.health(), Health::starting);
  set.set_failed(0, "h0: refused", {});
  EXPECT_EQ(set.health(), Health::unhealthy);
  EXPECT_EQ(set.trouble(), "h0: refused");
  set.set_working(1, Names{"m"}, {});
  EXPECT_EQ(set.health(), Health::healthy);
  EXPECT_EQ(set.models(), std::vector<std::string>{"m"});
  set.set_failed(1, "h1: gone", {});
  EXPECT_EQ(set.trouble(), "h0: refused; h1: gone");
  EXPECT_EQ(set.models(), std::vector<std::string>{"m"}) << "what it listed last";
}

TEST(HostSet, AHostWhoseAnswersFailRestsLongerEachTime) {
  HostSet set(hosts(2));
  const auto preferred = [&](std::chrono::seconds later) {
    const auto host = next(set, {}, "m", kNow + later);
    set.release(*host);
    return *host;
  };
  set.answer_failed(0, kNow);
  set.set_working(0, Names{"m"}, kNow);  // a check finds nothing wrong
  EXPECT_EQ(preferred(std::chrono::seconds(0)), 1U);
  EXPECT_EQ(preferred(std::chrono::seconds(1)), 0U);
  for (int i = 0; i < 20; ++i) set.answer_failed(0, kNow);
  EXPECT_EQ(preferred(std::chrono::seconds(63)), 1U);
  EXPECT_EQ(preferred(std::chrono::seconds(64)), 0U);
  EXPECT_EQ(next(set, {1}), 0U) << "where no other is left it is asked all the same";
  set.release(0);
  set.answer_given(0);
  EXPECT_EQ(preferred(std::chrono::seconds(0)), 0U);
}

TEST(HostSet, AHostRestsForAsLongAsItAskedWithinBounds) {
  HostSet set(hosts(2));
  const auto rests = [&](std::chrono::seconds later) {
    const auto host = next(set, {}, "m", kNow + later);
    set.release(*host);
    return *host == 1U;
  };
  set.answer_failed(0, kNow, std::chrono::seconds(30));
  set.answer_failed(0, kNow);  // one more that ran there
  EXPECT_TRUE(rests(std::chrono::seconds(29)));
  EXPECT_FALSE(rests(std::chrono::seconds(30)));
  set.answer_failed(0, kNow, std::chrono::hours(1));
  EXPECT_TRUE(rests(std::chrono::seconds(63)));
  EXPECT_FALSE(rests(std::chrono::seconds(64)));
}

TEST(HostSet, AHostThatDoesNotListTheModelComesLast) {
  HostSet set(hosts(3));
  set.set_working(0, Names{"other"}, kNow);
  set.set_working(1, Names{"m:latest"}, kNow);
  set.set_failed(1, "h1: reset", kNow);
  EXPECT_TRUE(set.has(1, "m"));
  EXPECT_FALSE(set.has(0, "m"));
  EXPECT_FALSE(set.has(2, "m")) << "nothing is known of it";
  EXPECT_EQ(next(set, {}), 2U);
  EXPECT_EQ(next(set, {2}), 1U);
  EXPECT_EQ(next(set, {2, 1}), 0U);
}

TEST(HostSet, AModelWithoutTagIsTheLatest) {
  EXPECT_TRUE(is_named("llama3:latest", "llama3"));
  EXPECT_TRUE(is_named("llama3:8b", "llama3:8b"));
  EXPECT_FALSE(is_named("llama3:8b", "llama3"));
  EXPECT_FALSE(is_named("llama3", "llama3:latest"));
}

TEST(HostSet, TheLastAnswerIsRemembered) {
  HostSet set(hosts(1));
  EXPECT_FALSE(set.answered_well(0));
  set.answer_given(0);
  EXPECT_TRUE(set.answered_well(0));
  set.set_failed(0, "its list is refused", kNow);
  EXPECT_TRUE(set.answered_well(0));
  set.answer_failed(0, kNow);
  EXPECT_FALSE(set.answered_well(0));
}

TEST(HostSet, FormsAreRememberedByHostAndModelAndBounded) {
  HostSet set(hosts(2));
  const RequestForm form{.own_sampling = true};
  set.set_form(0, "m", form);
  EXPECT_EQ(set.form(0, "m"), form);
  EXPECT_EQ(set.form(0, "other"), RequestForm{});
  EXPECT_EQ(set.form(1, "m"), RequestForm{});
  for (int i = 0; i < 64; ++i) set.set_form(0, std::to_string(i), form);
  EXPECT_EQ(set.form(0, "m"), RequestForm{});
  EXPECT_EQ(set.form(0, "63"), form);
}

TEST(HostSet, AHostThatDoesNotSayWhatItListsKeepsItsList) {
  HostSet set(hosts(1));
  set.set_working(0, Names{"m"}, kNow);
  set.set_failed(0, "h0: slow", kNow);
  EXPECT_TRUE(set.set_working(0, std::nullopt, kNow));
  EXPECT_TRUE(set.has(0, "m"));
}

TEST(HostSet, WhenItWasLastHeardIsRemembered) {
  HostSet set(hosts(2));
  EXPECT_EQ(set.heard_at(1), SteadyTime{});
  set.heard(1, kNow);
  EXPECT_EQ(set.heard_at(1), kNow);
  EXPECT_EQ(set.heard_at(0), SteadyTime{});
}

TEST(HostSet, TheModelsAreThoseOfAllThatWork) {
  HostSet set(hosts(3));
  set.set_working(0, Names{"a", "b"}, kNow);
  set.set_working(1, Names{"b", "c"}, kNow);
  set.set_working(2, Names{"d"}, kNow);
  set.set_failed(2, "h2: gone", kNow);
  EXPECT_EQ(set.models(), (Names{"a", "b", "c"}));
  set.set_failed(0, "h0: gone", kNow);
  EXPECT_EQ(set.models(), (Names{"b", "c"}));
  set.set_failed(1, "h1: gone", kNow);
  EXPECT_EQ(set.models(), (Names{"a", "b", "c", "d"})) << "what they listed last";
}

TEST(HostSet, TheNameThatAHostWantsIsRemembered) {
  HostSet set(hosts(2));
  EXPECT_EQ(set.name_for(1), "");
  set.set_name(1, "127.0.0.1:80");
  EXPECT_EQ(set.name_for(1), "127.0.0.1:80");
  EXPECT_EQ(set.name_for(0), "");
}

TEST(HostSet, WhetherAnotherCan) {
  HostSet set(hosts(2));
  EXPECT_FALSE(set.another_can({}, "m", kNow)) << "nothing is known of them";
  set.set_working(1, {}, kNow);
  EXPECT_TRUE(set.another_can({0}, "m", kNow));
  EXPECT_FALSE(set.another_can({0, 1}, "m", kNow));
  set.set_working(1, Names{"other"}, kNow);
  EXPECT_FALSE(set.another_can({0}, "m", kNow)) << "it lacks the model";
  EXPECT_TRUE(set.another_can({0}, "other", kNow));
  set.answer_failed(1, kNow);
  EXPECT_FALSE(set.another_can({0}, "other", kNow)) << "it rests";
  EXPECT_TRUE(set.another_can({0}, "other", kNow + std::chrono::hours(1)));
}

TEST(HostSet, ASilentOneIsAskedAfterOthersAndIsNoFailure) {
  HostSet set(hosts(2));
  set.set_working(0, {}, kNow);
  set.set_working(1, {}, kNow);
  EXPECT_FALSE(set.set_silent(0)) << "it does nothing for us";
  EXPECT_FALSE(set.is_busy(0));
  EXPECT_EQ(set.acquire({}, "m", kNow), 0U);
  EXPECT_TRUE(set.is_busy(0));
  set.set_silent(0);
  EXPECT_EQ(set.health(), Health::healthy);
  EXPECT_THAT(set.trouble(), ::testing::HasSubstr("does not answer the check while it works"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(set.acquire({}, "m", kNow), 1U);
  EXPECT_FALSE(set.another_can({1}, "m", kNow));
  set.end_silence(0);
  EXPECT_EQ(set.trouble(), "");
  EXPECT_EQ(set.acquire({}, "m", kNow), 0U);
  for (const auto& speak : std::vector<std::function<void()>>{[&] { set.set_working(0, {}, kNow); },
                                                              [&] { set.answer_given(0); }}) {
    set.set_silent(0);
    speak();
    EXPECT_EQ(set.trouble(), "");
  }
  set.set_silent(0);
  set.set_failed(0, "gone", kNow);
  EXPECT_EQ(set.trouble(), "gone");
  EXPECT_FALSE(set.set_silent(0)) << "it fails";
}

TEST(HostSet, ASuspectIsCheckedSoon) {
  HostSet set(hosts(1));
  const SteadyTime now{std::chrono::hours{5}};
  set.set_working(0, {}, now);
  EXPECT_EQ(set.checked_at(0), now);
  set.suspect(0);
  EXPECT_EQ(set.checked_at(0), SteadyTime{});
  EXPECT_FALSE(set.is_failed(0));
}

}  // namespace
}  // namespace tars::llm

// Several model servers with the same models: who is asked, who is left out and for how long.
#include <gmock/gmock.h>

#include "remote_fixture.h"

namespace tars::llm {
namespace {

using namespace std::chrono_literals;
using llm::testing::FakeUpstream;
using llm::testing::hang;
using llm::testing::Peer;
using llm::testing::say;
using ::testing::HasSubstr;

// Answers as say() does, and keeps the last request.
FakeUpstream::Script say_and_keep(std::string& asked) {
  return [&asked](Peer& peer, const std::string& request, int number) {
    asked = request;
    return say(peer, request, number);
  };
}

class RemoteHostsTest : public llm::testing::RemoteFixture {
 protected:
  // It refuses the name that it is configured by, and is healthy all the same.
  bool is_found_by_its_address(FakeUpstream& upstream) {
    upstream.knows_only_its_address = true;
    host_by_name(upstream.port());
    open();
    return wait_until([&] { return backend_->status().health == Health::healthy; });
  }
  // Waits until both were listed a second time: what was heard the first time is known then.
  bool are_known(const FakeUpstream& one, const FakeUpstream& other) {
    return wait_until([&] { return one.listings() > 1 && other.listings() > 1; });
  }
};

TEST_F(RemoteHostsTest, AnotherHostAnswersWhereTheFirstIsNotThere) {
  FakeUpstream upstream(say);
  host(1);  // nobody listens there
  host(upstream.port());
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(backend_->status().health, Health::healthy);
}

TEST_F(RemoteHostsTest, AnotherHostAnswersWhereTheFirstFailsBeforeAToken) {
  FakeUpstream broken([](Peer& peer, const std::string&, int) { return peer.answer(500, "x"); });
  FakeUpstream good(say);
  host(broken.port());
  host(good.port());
  open();
  ASSERT_TRUE(are_known(broken, good));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(broken.chats(), 1) << "it rests, although it lists its models";
}

TEST_F(RemoteHostsTest, ABusyHostRestsForAsLongAsItAsked) {
  FakeUpstream busy([](Peer& peer, const std::string&, int) {
    return peer.answer(429, "", "Retry-After: 30\r\n");
  });
  FakeUpstream good(say);
  host(busy.port());
  host(good.port());
  open();
  ASSERT_TRUE(are_known(busy, good));
  EXPECT_EQ(answer_to()->answer, "Hello");
  std::this_thread::sleep_for(1200ms);  // a first failure's rest would be over
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(busy.chats(), 1);
}

TEST_F(RemoteHostsTest, NoOtherHostAnswersOnceThereWasAToken) {
  FakeUpstream broken([](Peer& peer, const std::string&, int) {
    peer.begin_stream();
    peer.token("part");
    return false;
  });
  FakeUpstream good(say);
  host(broken.port());
  host(good.port());
  open();
  ASSERT_TRUE(are_known(broken, good));
  const auto sink = answer_to();
  EXPECT_EQ(sink->answer, "part");
  EXPECT_EQ(sink->error(), ErrorCode::generation_error);
  EXPECT_EQ(good.chats(), 0);
}

TEST_F(RemoteHostsTest, AHostThatHangsRestsAlthoughItSaysThatItIsWell) {
  options_.first_token_timeout = 1s;
  FakeUpstream hanging(hang);
  FakeUpstream good(say);
  host(hanging.port());
  host(good.port());
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
  ASSERT_TRUE(wait_until([&] { return backend_->status().detail.empty(); }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(hanging.chats(), 1);
}

// It takes requests and says nothing more, to a check neither.
TEST_F(RemoteHostsTest, WhatWaitsOnAHostThatHangsIsAskedElsewhere) {
  options_.connect_timeout = 500ms;
  options_.first_token_timeout = 60s;
  FakeUpstream hanging([&](Peer& peer, const std::string& request, int number) {
    hanging.hangs = true;
    return hang(peer, request, number);
  });
  FakeUpstream good(say);
  host(hanging.port());
  host(good.port());
  open();
  ASSERT_TRUE(are_known(hanging, good));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_EQ(hanging.chats(), 1);
}

// It does a thing at a time and reads a long prompt. Each check that nobody accepts would take a
// place in its queue, and none of the others can answer.
TEST_F(RemoteHostsTest, AHostThatIsSilentWhileItWorksIsWaitedForAndNotAskedAgain) {
  options_.connect_timeout = 200ms;
  FakeUpstream busy([&](Peer& peer, const std::string& request, int number) {
    busy.hangs = true;
    const int connected = busy.connections();
    std::this_thread::sleep_for(2s);
    EXPECT_LE(busy.connections(), connected + 1);
    EXPECT_EQ(backend_->status().health, Health::healthy);
    EXPECT_THAT(backend_->status().detail, HasSubstr("does not answer the check while it works"));
    busy.hangs = false;
    return say(peer, request, number);
  });
  FakeUpstream other(say, {"other"});
  host(busy.port());
  host(other.port());
  open();
  ASSERT_TRUE(are_known(busy, other));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(busy.chats(), 1);
  EXPECT_EQ(other.chats(), 0);
  const int listed = busy.listings();
  EXPECT_TRUE(wait_until([&] { return busy.listings() > listed; })) << "it is asked again";
  EXPECT_TRUE(wait_until([&] { return backend_->status().detail.empty(); }));
}

// Nor is it asked again then, while it has a request of ours.
TEST_F(RemoteHostsTest, AHostThatIsSilentForTooLongIsUnhealthyUntilItIsHeard) {
  options_.connect_timeout = 200ms;
  options_.silent_at_most = 600ms;
  FakeUpstream busy([&](Peer& peer, const std::string& request, int number) {
    busy.hangs = true;
    EXPECT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
    EXPECT_THAT(backend_->status().detail, HasSubstr("answers neither the request nor a check"));
    const int connected = busy.connections();
    std::this_thread::sleep_for(500ms);
    EXPECT_EQ(busy.connections(), connected);
    busy.hangs = false;
    return say(peer, request, number);
  });
  host(busy.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
}

// It may hang from the start, and a client may ask before that is known.
TEST_F(RemoteHostsTest, AHostThatNeverAnsweredIsNotSilentButUnhealthy) {
  options_.connect_timeout = 300ms;
  FakeUpstream hanging(hang);
  hanging.hangs = true;
  host(hanging.port());
  open();
  std::stop_source stop;
  const auto sink = ask("hello", stop.get_token());
  EXPECT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  stop.request_stop();
  EXPECT_TRUE(sink->wait_done());
}

// The other is the last that is left then, and may answer after all.
TEST_F(RemoteHostsTest, ARunLeavesASilentHostOnceAndMayComeBack) {
  options_.connect_timeout = 300ms;
  FakeUpstream silent([&](Peer& peer, const std::string& request, int number) {
    silent.hangs = number == 0;
    return number > 0 ? say(peer, request, number) : hang(peer, request, number);
  });
  FakeUpstream broken([](Peer& peer, const std::string&, int) { return peer.answer(500, "x"); });
  host(silent.port());
  host(broken.port());
  open();
  ASSERT_TRUE(are_known(silent, broken));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(silent.chats(), 2);
  EXPECT_EQ(broken.chats(), 1);
}

// As one that is told to stop does: it takes nobody new and ends what it began.
TEST_F(RemoteHostsTest, WhatWaitsOnAHostThatRefusesOthersIsNotTakenFromIt) {
  FakeUpstream stopping([&](Peer& peer, const std::string& request, int number) {
    stopping.list_status = 502;
    EXPECT_TRUE(wait_until([&] { return !backend_->status().detail.empty(); }));
    std::this_thread::sleep_for(300ms);
    return say(peer, request, number);
  });
  FakeUpstream good(say);
  host(stopping.port());
  host(good.port());
  open();
  ASSERT_TRUE(are_known(stopping, good));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(stopping.chats(), 1);
  EXPECT_EQ(good.chats(), 0);
}

TEST_F(RemoteHostsTest, WithNoOtherHostASilentOneIsWaitedFor) {
  options_.connect_timeout = 200ms;
  FakeUpstream busy([](Peer& peer, const std::string& request, int number) {
    std::this_thread::sleep_for(1s);
    return say(peer, request, number);
  });
  busy.hangs = true;
  host(busy.port());
  host(1);
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(busy.chats(), 1);
}

TEST_F(RemoteHostsTest, ThatAnotherHostLacksTheModelIsNoNews) {
  FakeUpstream owner(
      [](Peer& peer, const std::string&, int) {
        peer.reset();
        return false;
      },
      {"m:latest"});
  FakeUpstream other([](Peer& peer, const std::string&, int) { return peer.answer(404, "{}"); },
                     {"x"});
  host(other.port());
  host(owner.port());
  open();
  ASSERT_TRUE(wait_until([&] { return owner.listings() > 0 && other.listings() > 0; }));
  EXPECT_EQ(answer_to()->error(), ErrorCode::backend_unavailable);
  EXPECT_EQ(other.chats(), 1);
}

// Whichever is asked last: one that lists the model and yet has it not says less than one that
// failed.
TEST_F(RemoteHostsTest, TheSameFailuresAreToldInAnyOrder) {
  const auto answers = [](unsigned status, std::string body) {
    return [status, body = std::move(body)](Peer& peer, const std::string&, int) {
      return peer.answer(status, body);
    };
  };
  FakeUpstream broken(answers(500, R"({"error":"boom"})"), {"m:latest"});
  FakeUpstream lost(answers(404, R"({"error":"model 'm' not found"})"), {"m:latest"});
  host(broken.port());
  host(lost.port());
  open();
  ASSERT_TRUE(wait_until([&] { return broken.listings() > 0 && lost.listings() > 0; }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_to()->error(), ErrorCode::generation_error) << i;
}

TEST_F(RemoteHostsTest, TheLeastBusyIsAskedFirst) {
  FakeUpstream a(hang);
  FakeUpstream b(hang);
  host(a.port());
  host(b.port());
  open();
  ASSERT_TRUE(are_known(a, b));
  std::stop_source stop;
  std::vector<std::shared_ptr<llm::testing::RecordingSink>> sinks;
  for (int i = 0; i < 6; ++i) sinks.push_back(ask("x", stop.get_token()));
  EXPECT_TRUE(wait_until([&] { return a.chats() == 3 && b.chats() == 3; }));
  stop.request_stop();
  for (const auto& sink : sinks) EXPECT_TRUE(sink->wait_done());
}

TEST_F(RemoteHostsTest, AHostThatFailsIsLeftOutUntilItAnswersAgain) {
  FakeUpstream flaky(say);
  FakeUpstream steady(say);
  flaky.lists = false;
  host(flaky.port());
  host(steady.port());
  open();
  ASSERT_TRUE(wait_until([&] { return !backend_->status().detail.empty(); }));
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(flaky.chats(), 0);
  flaky.lists = true;
  ASSERT_TRUE(wait_until([&] { return backend_->status().detail.empty(); }));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(flaky.chats(), 1);
}

TEST_F(RemoteHostsTest, NobodyThereIsUnhealthyAndSaidSo) {
  host(1);
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  EXPECT_THAT(backend_->status().detail, HasSubstr("no connection to http://127.0.0.1:1"));
  EXPECT_EQ(answer_to()->error(), ErrorCode::backend_unavailable);
}

TEST_F(RemoteHostsTest, ADeadServerWithoutAConfiguredModelIsUnavailable) {
  options_.model = "";
  host(1);
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  const auto refused = refusal_of("hello");
  EXPECT_EQ(refused.code, ErrorCode::backend_unavailable);
  EXPECT_THAT(refused.message, HasSubstr("no connection to http://127.0.0.1:1"));
}

TEST_F(RemoteHostsTest, AServersModelsAreRememberedWhileItIsAway) {
  options_.model = "";
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  upstream.lists = false;
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  EXPECT_EQ(answer_to()->answer, "Hello");
}

TEST_F(RemoteHostsTest, AServerWithoutModelsIsUnhealthyUnlessOneIsConfigured) {
  options_.model = "";
  FakeUpstream upstream(say, {});
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  EXPECT_THAT(backend_->status().detail, HasSubstr("or name one in OLLAMA_MODEL"));
}

TEST_F(RemoteHostsTest, AServerWithoutAListIsAskedAndItsAddressDoubted) {
  for (const unsigned status : {404U, 405U, 501U, 429U}) {
    FakeUpstream upstream(say);
    upstream.list_status = status;
    options_.hosts.clear();
    host(upstream.port());
    open();
    EXPECT_TRUE(wait_until([&] { return upstream.listings() > 1; }));
    EXPECT_EQ(backend_->status().health, Health::healthy) << status;
    EXPECT_THAT(backend_->status().detail, HasSubstr("check the address"));
    EXPECT_EQ(answer_to()->answer, "Hello");
    close();
  }
}

// 400 is what a proxy says to http on its port for https, for one.
TEST_F(RemoteHostsTest, AServerThatRefusesItsListIsWellOnlyOnceItAnswered) {
  for (const unsigned status : {400U, 401U, 403U}) {
    FakeUpstream upstream(say);
    upstream.list_status = status;
    options_.hosts.clear();
    host(upstream.port());
    open();
    EXPECT_TRUE(wait_until([&] { return upstream.listings() > 1; }));
    EXPECT_EQ(backend_->status().health, Health::unhealthy) << status;
    EXPECT_EQ(answer_to()->answer, "Hello");
    const int listed = upstream.listings();
    EXPECT_TRUE(wait_until([&] { return upstream.listings() > listed + 1; }));
    EXPECT_EQ(backend_->status().health, Health::healthy) << status;
    close();
  }
}

TEST_F(RemoteHostsTest, ABusyServersListIsWhatItWas) {
  options_.model = "";
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  upstream.list_status = 429;
  const int listed = upstream.listings();
  ASSERT_TRUE(wait_until([&] { return upstream.listings() > listed + 2; }));
  EXPECT_EQ(backend_->status().health, Health::healthy);
  EXPECT_EQ(backend_->status().model, "m");
}

TEST_F(RemoteHostsTest, AnOllamaThatKnowsNoNamesIsAskedByItsAddress) {
  std::string asked;
  FakeUpstream upstream(say_and_keep(asked));
  ASSERT_TRUE(is_found_by_its_address(upstream));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_THAT(asked, HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(upstream.port()) + "\r\n"));
  const int listed = upstream.listings();
  EXPECT_TRUE(wait_until([&] { return upstream.listings() > listed + 1; }));
  EXPECT_EQ(upstream.strangers, 1) << "it is remembered";
}

// What is behind the name may become another server, which knows it by that name alone.
TEST_F(RemoteHostsTest, AHostThatRefusesItsAddressLaterIsAskedByItsNameAgain) {
  std::string asked;
  FakeUpstream upstream(say_and_keep(asked));
  ASSERT_TRUE(is_found_by_its_address(upstream));
  upstream.knows_only_its_address = false;
  upstream.knows_only_its_name = true;
  const int strangers = upstream.strangers;
  ASSERT_TRUE(wait_until([&] { return upstream.strangers > strangers; }));
  const int listed = upstream.listings();
  ASSERT_TRUE(wait_until([&] { return upstream.listings() > listed + 1; }));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_THAT(asked, HasSubstr("\r\nHost: localhost:"));
  EXPECT_EQ(upstream.strangers, strangers + 1) << "it is remembered";
}

// A proxy in front of it may need the name.
TEST_F(RemoteHostsTest, AHostThatRefusesItsAddressTooKeepsItsName) {
  std::string asked;
  FakeUpstream upstream(say_and_keep(asked));
  upstream.list_status = 403;
  upstream.refusal = "";
  host_by_name(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return upstream.listings() > 3; }));
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_THAT(asked, HasSubstr("\r\nHost: localhost:"));
}

// One that does one thing at a time: while it answers, nobody hears that it is well.
TEST_F(RemoteHostsTest, AHostThatAnswersIsWellThoughItsListDoesNotCome) {
  options_.connect_timeout = 1s;
  constexpr int kTokens = 150;  // for three seconds
  std::atomic<bool> unhealthy{false};
  FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
    upstream.hangs = true;
    peer.begin_stream();
    for (int i = 0; i < kTokens; ++i) {
      peer.token("x");
      unhealthy = unhealthy || backend_->status().health != Health::healthy;
      std::this_thread::sleep_for(20ms);
    }
    return peer.done();
  });
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  EXPECT_EQ(answer_to()->tokens, kTokens);
  EXPECT_FALSE(unhealthy);
  EXPECT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }))
      << "once it says nothing more";
}

TEST_F(RemoteHostsTest, AModelThatIsNotListedIsSaid) {
  options_.model = "typo";
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  EXPECT_EQ(backend_->status().detail, "the server does not list typo");
  EXPECT_TRUE(backend_->has_model("m")) << "it is listed";
  EXPECT_FALSE(backend_->has_model("other"));
  EXPECT_THAT(backend_->models({}, 9), ::testing::ElementsAre("typo", "m"));
  EXPECT_THAT(backend_->models({}, 1), ::testing::ElementsAre("typo"));
}

}  // namespace
}  // namespace tars::llm

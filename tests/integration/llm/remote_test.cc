// Answers of model servers over real sockets, and every way in which they go wrong.
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

using RemoteTest = llm::testing::RemoteFixture;

TEST_F(RemoteTest, AnAnswerArrivesTokenByToken) {
  std::string asked;
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    asked = request;
    return say(peer, request, number);
  });
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->answer, "Hello");
  EXPECT_EQ(sink->tokens, 2);
  EXPECT_EQ(sink->starts, 1);
  EXPECT_EQ(sink->ending(), "stop");
  EXPECT_EQ((*sink->outcome)->prompt_tokens, 11);
  EXPECT_THAT(asked, HasSubstr("POST /api/chat HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr("Host: 127.0.0.1:" + std::to_string(upstream.port()) + "\r\n"));
  EXPECT_THAT(asked, ::testing::Not(HasSubstr("Origin")));
}

TEST_F(RemoteTest, TextThatIsNoUtf8IsMended) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.begin_stream() && peer.token("a\xFF\\ud83d") && peer.token("\\ude00b") &&
           peer.token("c\\ud83d") && peer.done();
  });
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->answer,
            "a\xEF\xBF\xBD\xF0\x9F\x98\x80"
            "bc\xEF\xBF\xBD");
  EXPECT_EQ(sink->ending(), "stop");
}

TEST_F(RemoteTest, TheClientsTraceGoesOn) {
  std::vector<std::string> asked;
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    asked.push_back(request);
    return say(peer, request, number);
  });
  host(upstream.port());
  open();
  Request traced = question("hello");
  traced.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(answer_to(traced)->answer, "Hello");
  EXPECT_EQ(answer_to()->answer, "Hello");
  close();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(asked[0], HasSubstr("traceparent: " + traced.traceparent + "\r\n"));
  EXPECT_THAT(asked[1], ::testing::Not(HasSubstr("traceparent")));
}

TEST_F(RemoteTest, OneReadIsOneStep) {
  FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
    std::string lines;
    for (int i = 0; i < 100; ++i) {
      lines += R"({"message":{"content":"x"},"done":false})"
               "\n";
    }
    return peer.begin_stream() && peer.chunk(lines) && peer.done();
  });
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->tokens, 100);
  EXPECT_LE(sink->steps, 3);
}

TEST_F(RemoteTest, ConnectionsAreKept) {
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answer_to()->answer, "Hello");
  // One for the chats, and where the next begins before the last one's end is read, or beside a
  // check, another one.
  EXPECT_LE(upstream.connections(), 5);
}

TEST_F(RemoteTest, AConnectionThatTheServerClosedBetweenRequestsIsReplaced) {
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    say(peer, request, number);
    return false;  // closes although it said that it keeps the connection
  });
  host(upstream.port());
  open();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answer_to()->answer, "Hello");
}

TEST_F(RemoteTest, APromptThatBringsTheServerDownIsSentTwiceAtMost) {
  std::atomic<int> poison{0};
  std::atomic<int> held{0};
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    if (request.find("poison") != std::string::npos) {
      ++poison;
      return false;
    }
    ++held;
    wait_until([&] { return held == 4; });  // so that each has a connection of its own
    return say(peer, request, number);
  });
  host(upstream.port());
  open();
  std::vector<std::shared_ptr<llm::testing::RecordingSink>> sinks;
  for (int i = 0; i < 4; ++i) sinks.push_back(ask());
  for (const auto& sink : sinks) ASSERT_TRUE(sink->wait_done());
  EXPECT_EQ(answer_to("poison")->error(), ErrorCode::backend_unavailable);
  EXPECT_EQ(poison, 2);
}

TEST_F(RemoteTest, AStopClosesTheConnectionBeforeTheFirstToken) {
  std::atomic<bool> closed{false};
  FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
    closed = peer.wait_for_close();
    return false;
  });
  host(upstream.port());
  open();
  std::stop_source stop;
  const auto sink = ask("x", stop.get_token());
  ASSERT_TRUE(wait_until([&] { return upstream.chats() == 1; }));
  stop.request_stop();
  ASSERT_TRUE(sink->wait_done());
  EXPECT_EQ(sink->ending(), "cancelled");
  EXPECT_TRUE(wait_until([&] { return closed.load(); }));
  EXPECT_EQ(upstream.chats(), 1);
}

TEST_F(RemoteTest, AStopClosesTheConnectionBetweenTokens) {
  std::atomic<bool> closed{false};
  FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
    peer.begin_stream();
    peer.token("one");
    closed = peer.wait_for_close();
    return false;
  });
  host(upstream.port());
  open();
  std::stop_source stop;
  const auto sink = ask("x", stop.get_token());
  ASSERT_TRUE(sink->wait_for([&] { return sink->tokens == 1; }));
  stop.request_stop();
  ASSERT_TRUE(sink->wait_done());
  EXPECT_EQ(sink->ending(), "cancelled");
  EXPECT_EQ(sink->answer, "one");
  EXPECT_TRUE(wait_until([&] { return closed.load(); }));
}

TEST_F(RemoteTest, AStopThatCameBeforeEverythingEndsIt) {
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  std::stop_source stop;
  stop.request_stop();
  const auto sink = ask("x", stop.get_token());
  ASSERT_TRUE(sink->wait_done());
  EXPECT_EQ(sink->ending(), "cancelled");
}

TEST_F(RemoteTest, ShutdownEndsWhatRuns) {
  FakeUpstream upstream(hang);
  host(upstream.port());
  open();
  const auto sink = ask();
  ASSERT_TRUE(wait_until([&] { return upstream.chats() == 1; }));
  backend_->shutdown();
  EXPECT_EQ(sink->dones, 1);
  EXPECT_EQ(sink->ending(), "cancelled");
  Request request;
  request.messages = {{Role::user, "x"}};
  EXPECT_EQ(backend_->generate(request, sink, {}).error().code, ErrorCode::backend_unavailable);
}

TEST_F(RemoteTest, RunsAreBounded) {
  options_.slots = 2;
  FakeUpstream upstream(hang);
  host(upstream.port());
  open();
  std::stop_source stop;
  const auto first = ask("x", stop.get_token());
  const auto second = ask("x", stop.get_token());
  Request request;
  request.messages = {{Role::user, "x"}};
  const auto third = backend_->generate(request, first, {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::overloaded);
  stop.request_stop();
  EXPECT_TRUE(first->wait_done() && second->wait_done());
  EXPECT_EQ(backend_->status().running, 0);
}

TEST_F(RemoteTest, TheModelIsTheFirstOfTheServersWhereNoneIsConfigured) {
  options_.model.clear();
  FakeUpstream upstream(say);
  host(upstream.port());
  open();
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::healthy; }));
  EXPECT_EQ(backend_->status().model, "m");
  EXPECT_EQ(answer_to()->ending(), "stop");
}

// -- what goes wrong

struct Fault {
  const char* name;
  FakeUpstream::Script script;
  ErrorCode code;
  std::string answer;
  int chats;  // how often the server is asked at most
};

class RemoteFaultTest : public RemoteTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(RemoteFaultTest, EndsWithItsErrorAndWhatThereWas) {
  const Fault& fault = GetParam();
  options_.first_token_timeout = 1s;
  options_.idle_timeout = 200ms;
  FakeUpstream upstream(fault.script);
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->error(), fault.code) << sink->ending();
  EXPECT_EQ(sink->answer, fault.answer);
  EXPECT_LE(upstream.chats(), fault.chats);
}

// Says the beginning of an answer, then does what is wrong.
FakeUpstream::Script after_part(const std::function<void(Peer&)>& fault) {
  return [fault](Peer& p, const std::string&, int) {
    p.begin_stream();
    p.token("part");
    fault(p);
    return false;
  };
}

const std::vector<Fault> kFaults = {
    {"error_line",
     [](Peer& p, const std::string&, int) {
       return p.begin_stream() && p.token("part") && p.chunk("{\"error\":\"boom\"}\n") &&
              p.send("0\r\n\r\n");
     },
     ErrorCode::generation_error, "part", 1},
    {"error_line_before_a_token",
     [](Peer& p, const std::string&, int) {
       return p.begin_stream() && p.chunk("{\"error\":\"boom\"}\n") && p.send("0\r\n\r\n");
     },
     ErrorCode::generation_error, "", 1},
    {"end_without_done",
     [](Peer& p, const std::string&, int) {
       return p.begin_stream() && p.token("part") && p.send("0\r\n\r\n");
     },
     ErrorCode::generation_error, "part", 1},
    {"cut_in_a_line", after_part([](Peer& p) { p.chunk("{\"message\":{\"conte"); }),
     ErrorCode::generation_error, "part", 1},
    // Once on a connection that a check left, which may have gone stale, and once on a new one.
    {"reset_before_an_answer",
     [](Peer& p, const std::string&, int) {
       p.reset();
       return false;
     },
     ErrorCode::backend_unavailable, "", 2},
    {"broken_head",
     [](Peer& p, const std::string&, int) {
       p.send("HTTP/1.1 200 OK\r\nContent-Ty");
       return false;
     },
     ErrorCode::backend_unavailable, "", 2},
    {"garbage_for_http",
     [](Peer& p, const std::string&, int) {
       p.send("this is no HTTP at all\r\n\r\n");
       return false;
     },
     ErrorCode::backend_unavailable, "", 2},
    {"garbage_for_json", after_part([](Peer& p) { p.chunk("<html>\n"); }),
     ErrorCode::generation_error, "part", 1},
    {"broken_chunk", after_part([](Peer& p) { p.send("zz\r\n"); }), ErrorCode::generation_error,
     "part", 1},
    {"endless_line", after_part([](Peer& p) {
       while (p.chunk(std::string(60'000, 'x'))) {
       }
     }),
     ErrorCode::generation_error, "part", 1},
    {"hang_before_the_first_token", hang, ErrorCode::backend_unavailable, "", 1},
    {"hang_behind_the_head",
     [](Peer& p, const std::string&, int) {
       p.begin_stream();
       p.wait_for_close();
       return false;
     },
     ErrorCode::backend_unavailable, "", 1},
    {"hang_between_tokens", after_part([](Peer& p) { p.wait_for_close(); }),
     ErrorCode::generation_error, "part", 1},
    {"not_found",
     [](Peer& p, const std::string&, int) { return p.answer(404, R"({"error":"no model"})"); },
     ErrorCode::model_not_found, "", 1},
    {"busy",
     [](Peer& p, const std::string&, int) { return p.answer(429, "", "Retry-After: 7\r\n"); },
     ErrorCode::overloaded, "", 1},
    {"unavailable", [](Peer& p, const std::string&, int) { return p.answer(503, "x"); },
     ErrorCode::overloaded, "", 1},
    {"redirect",
     [](Peer& p, const std::string&, int) {
       return p.answer(302, "", "Location: http://127.0.0.1:1/\r\n");
     },
     ErrorCode::backend_unavailable, "", 1},
    {"server_error",
     [](Peer& p, const std::string&, int) { return p.answer(500, R"({"error":"boom"})"); },
     ErrorCode::generation_error, "", 1},
    {"text_without_end",
     [](Peer& p, const std::string&, int) {
       p.begin_stream();
       while (p.token(std::string(1000, 'x'))) {
       }
       return false;
     },
     ErrorCode::generation_error, "", 1},
};

INSTANTIATE_TEST_SUITE_P(Remote, RemoteFaultTest,
                         ::testing::ValuesIn(kFaults.begin(), kFaults.end() - 1),
                         [](const auto& fault) { return std::string(fault.param.name); });

TEST_F(RemoteTest, AnEndBehindTheHeadIsOneErrorHoweverTheBodyIsFramed) {
  for (const bool openai : {false, true}) {
    for (const char* framing : {"Transfer-Encoding: chunked\r\n", "Content-Length: 500\r\n", ""}) {
      FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
        peer.send("HTTP/1.1 200 OK\r\n" + std::string(framing) + "\r\n");
        return false;
      });
      options_.hosts.clear();
      host(upstream.port());
      open(openai);
      EXPECT_EQ(answer_to()->error(), ErrorCode::generation_error) << openai << framing;
      EXPECT_EQ(upstream.chats(), 1) << "it was generated twice";
      close();
    }
  }
}

TEST_F(RemoteTest, AServerThatNeverStopsIsStopped) {
  FakeUpstream upstream(kFaults.back().script);
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->error(), ErrorCode::generation_error);
  EXPECT_LT(sink->answer.size(), 2'000'000U);
}

TEST_F(RemoteTest, ABusyServersRetryAfterIsPassedOn) {
  FakeUpstream upstream(
      [](Peer& p, const std::string&, int) { return p.answer(429, "", "Retry-After: 7\r\n"); });
  host(upstream.port());
  open();
  EXPECT_EQ(answer_to()->outcome->error().retry_after, 7s);
}

// -- what is progress

TEST_F(RemoteTest, TheTimeBetweenTokensBeginsWithTheFirst) {
  options_.idle_timeout = 100ms;
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    peer.begin_stream();
    peer.token("");  // the role, as some servers say it before they compute
    std::this_thread::sleep_for(400ms);
    return peer.token("Hello") && peer.done();
  });
  host(upstream.port());
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
}

// Sends `bytes` again and again until the client closes.
FakeUpstream::Script repeating(const std::string& first, const std::string& bytes) {
  return [first, bytes](Peer& peer, const std::string&, int) {
    peer.begin_stream();
    if (!first.empty()) peer.token(first);
    while (peer.chunk(bytes)) std::this_thread::sleep_for(10ms);
    return false;
  };
}

TEST_F(RemoteTest, EmptyLinesAndHalfOnesAreNoProgress) {
  options_.first_token_timeout = 1s;
  options_.idle_timeout = 200ms;
  for (const char* bytes : {"\n", "x"}) {
    FakeUpstream before(repeating("", bytes));
    FakeUpstream after(repeating("part", bytes));
    options_.hosts.clear();
    host(before.port());
    open();
    EXPECT_EQ(answer_to()->error(), ErrorCode::backend_unavailable);
    close();
    options_.hosts.clear();
    host(after.port());
    open();
    const auto sink = answer_to();
    EXPECT_EQ(sink->answer, "part");
    EXPECT_THAT(sink->ending(), HasSubstr("no token came in time"));
    close();
  }
}

TEST_F(RemoteTest, AModelThatThinksAloudMakesProgress) {
  options_.first_token_timeout = 1s;
  options_.idle_timeout = 1s;
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    peer.begin_stream();
    for (int i = 0; i < 40; ++i) {
      peer.chunk("{\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n");
      std::this_thread::sleep_for(40ms);
    }
    return peer.token("Hello") && peer.done();
  });
  host(upstream.port());
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
}

TEST_F(RemoteTest, ManyLongThoughtsAndTokensAreOnlyText) {
  const std::string text(5000, 'x');
  FakeUpstream upstream([&](Peer& peer, const std::string&, int) {
    std::string lines;
    for (int i = 0; i < 60; ++i) {
      lines += R"({"message":{"thinking":")" + text + R"("},"done":false})" + "\n";
    }
    for (int i = 0; i < 10; ++i) {
      lines += R"({"message":{"content":")" + text + R"("},"done":false})" + "\n";
    }
    return peer.begin_stream() && peer.chunk(lines) && peer.done();
  });
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->ending(), "stop");
  EXPECT_EQ(sink->answer.size(), 10 * text.size());
}

TEST_F(RemoteTest, WhatHasBegunToGenerateIsNotAskedAgain) {
  std::atomic<int> broken{0};
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    if (number == 0) return say(peer, request, number);  // leaves a connection to be used again
    ++broken;
    peer.begin_stream();
    peer.chunk("{\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n");
    return false;  // closes
  });
  FakeUpstream other(say);
  host(upstream.port());
  open();
  EXPECT_EQ(answer_to()->answer, "Hello");
  EXPECT_EQ(answer_to()->error(), ErrorCode::generation_error);
  EXPECT_EQ(broken, 1);
  close();
  host(other.port());
  const int listed = upstream.listings();
  open();
  ASSERT_TRUE(wait_until([&] { return upstream.listings() > listed + 2 && other.listings() > 1; }));
  const int asked = other.chats();
  while (broken < 2) EXPECT_TRUE(answer_to()->outcome);
  EXPECT_LE(other.chats(), asked + 1);
}

TEST_F(RemoteTest, WhatIsNoStreamIsNamed) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.answer(200, "<html></html>", "Content-Type: text/html\r\n");
  });
  host(upstream.port());
  open();
  const auto sink = answer_to();
  EXPECT_EQ(sink->error(), ErrorCode::generation_error);
  EXPECT_THAT(sink->ending(),
              HasSubstr("answers with text/html where application/x-ndjson was expected"));
}

// As Ollama 0.17 refuses what it may not cut.
TEST_F(RemoteTest, AHistoryThatIsTooLongForOllamaLosesItsOldestTurns) {
  std::vector<std::string> asked;
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    asked.push_back(request);
    if (request.size() < 900) return say(peer, request, number);
    return peer.answer(400, R"({"error":"the input length exceeds the context length"})");
  });
  host(upstream.port());
  open();
  Request request;
  for (int i = 0; i < 4; ++i) {
    request.messages.push_back({Role::user, "question" + std::to_string(i)});
    request.messages.push_back({Role::assistant, std::string(150, 'x')});
  }
  request.messages.push_back({Role::user, "the last"});
  EXPECT_EQ(answer_to(std::move(request))->answer, "Hello");
  ASSERT_GE(asked.size(), 2U);
  EXPECT_THAT(asked.front(), HasSubstr(R"("truncate":false)"));
  EXPECT_THAT(asked.front(), HasSubstr("question0"));
  EXPECT_THAT(asked.back(), ::testing::Not(HasSubstr("question0")));
  EXPECT_THAT(asked.back(), HasSubstr("the last"));
  EXPECT_EQ(answer_to(std::string(1000, 'x'))->error(), ErrorCode::context_overflow);
}

}  // namespace
}  // namespace tars::llm

// What is particular to OpenAI-compatible servers: events, keys, contexts of unknown length.
#include <gmock/gmock.h>

#include <algorithm>

#include "remote_fixture.h"

namespace tars::llm {
namespace {

using llm::testing::FakeUpstream;
using llm::testing::Peer;
using ::testing::HasSubstr;

using RemoteOpenAiTest = llm::testing::RemoteFixture;

// Refuses prompts of more than `room` characters, the answer's tokens counted as one each.
FakeUpstream::Script with_context(std::size_t room, std::vector<std::string>& asked) {
  return [room, &asked](Peer& peer, const std::string& request, int) {
    asked.push_back(request.substr(request.find("\r\n\r\n") + 4));
    const std::string& body = asked.back();
    const auto letters = static_cast<std::size_t>(std::ranges::count(body, 'x'));
    const auto tokens = std::stoul(body.substr(body.find("\"max_tokens\":") + 13));
    if (letters + tokens > room) {
      return peer.answer(400,
                         R"({"error":{"message":"too long","code":"context_length_exceeded"}})");
    }
    return peer.begin_stream("text/event-stream") &&
           peer.chunk(
               "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
               "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n") &&
           peer.send("0\r\n\r\n");
  };
}

// 600 characters are in its history.
Request long_talk(int max_tokens) {
  Request request;
  request.messages.push_back({Role::system, "be kind"});
  for (int i = 0; i < 6; ++i) {
    request.messages.push_back({Role::user, "question" + std::to_string(i)});
    request.messages.push_back({Role::assistant, std::string(100, 'x')});
  }
  request.messages.push_back({Role::user, "the last"});
  request.sampling.max_tokens = max_tokens;
  return request;
}

TEST_F(RemoteOpenAiTest, AHistoryThatIsTooLongLosesItsOldestTurns) {
  std::vector<std::string> asked;
  FakeUpstream upstream(with_context(510, asked));
  host(upstream.port(), "/v1");
  open(true);
  const auto sink = answer_to(long_talk(200));
  EXPECT_EQ(sink->answer, "Hi") << sink->ending();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_THAT(asked[1], HasSubstr("question0")) << "less room for the answer did not help";
  EXPECT_THAT(asked[2], HasSubstr("be kind"));
  EXPECT_THAT(asked[2], HasSubstr(R"({"role":"user","content":"question3"})"));
  EXPECT_THAT(asked[2], ::testing::Not(HasSubstr("question2")));
  EXPECT_THAT(asked[2], HasSubstr("the last"));
  EXPECT_THAT(asked[2], HasSubstr("\"max_tokens\":200"));
}

TEST_F(RemoteOpenAiTest, ATooLongHistoryIsShortenedWhereAStreamSaysSo) {
  std::vector<std::string> asked;
  FakeUpstream upstream([&asked](Peer& peer, const std::string& request, int) {
    asked.push_back(request);
    const bool fits = request.find("question0") == request.npos;
    return peer.begin_stream("text/event-stream") &&
           peer.chunk(fits ? "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
                             "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
                           : "event: error\ndata: {\"error\":{\"message\":\"loaded with context "
                             "length of only 4096 tokens\"}}\n\n") &&
           peer.send("0\r\n\r\n");
  });
  host(upstream.port(), "/v1");
  open(true);
  const auto sink = answer_to(long_talk(64));
  EXPECT_EQ(sink->answer, "Hi") << sink->ending();
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(RemoteOpenAiTest, TextBehindTheFinishReasonHasTheTimeOfAToken) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    const auto say = [&peer](const std::string& text, const char* reason) {
      return peer.chunk("data: {\"choices\":[{\"delta\":{\"content\":\"" + text +
                        "\"},\"finish_reason\":" + reason + "}]}\n\n");
    };
    bool going = peer.begin_stream("text/event-stream") && say("a", "\"stop\"");
    // Longer than the end of a whole answer is waited for.
    for (int i = 0; going && i < 4; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      going = say("b", "\"stop\"");
    }
    return going && peer.chunk("data: [DONE]\n\n") && peer.send("0\r\n\r\n");
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to()->answer, "abbbb");
}

TEST_F(RemoteOpenAiTest, AnAnswerInACodingThatNobodyAskedForIsNamed) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.answer(200, "\x1f\x8b\x08", "Content-Encoding: gzip\r\n");
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_THAT(answer_to()->ending(), HasSubstr("Content-Encoding gzip"));
}

// The context's length is asked for as the answer's, as with vLLM's --max-model-len 2048.
TEST_F(RemoteOpenAiTest, AnAnswerThatWouldFillTheContextCostsNoHistory) {
  std::vector<std::string> asked;
  FakeUpstream upstream(with_context(2048, asked));
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to(long_talk(2048))->answer, "Hi");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(asked[1], HasSubstr("question0"));
  EXPECT_THAT(asked[1], HasSubstr("\"max_tokens\":512"));
}

TEST_F(RemoteOpenAiTest, AServerThatKnowsNoStreamsAnswersAtOnce) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.answer(200,
                       R"({"object":"chat.completion","choices":[{"index":0,"message":)"
                       R"({"role":"assistant","content":"Hi there"},"finish_reason":"stop"}]})",
                       "Content-Type: application/json\r\n");
  });
  host(upstream.port(), "/v1");
  open(true);
  Request request;
  request.messages.push_back({Role::user, "hello"});
  const auto sink = answer_to(std::move(request));
  EXPECT_EQ(sink->answer, "Hi there");
  EXPECT_EQ(sink->ending(), "stop");
}

TEST_F(RemoteOpenAiTest, TheAnswerGetsLessRoomBeforeTheLastMessageIsRefused) {
  std::vector<std::string> asked;
  FakeUpstream upstream(with_context(500, asked));
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to(std::string(300, 'x'))->answer, "Hi");
  EXPECT_EQ(asked.size(), 3U) << "2048, 512, 128";
  EXPECT_EQ(answer_to(std::string(600, 'x'))->error(), ErrorCode::context_overflow);
}

TEST_F(RemoteOpenAiTest, AKeyThatTheServerRepeatsIsNotPassedOn) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.answer(401, R"({"error":{"message":"Incorrect API key: sk-secret-0001"}})");
  });
  options_.api_key = "sk-secret-0001";
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_THAT(answer_to()->ending(), ::testing::EndsWith("Incorrect API key: [the key]"));
}

// With the escapes that PHP and .NET write; in a stream, cut in the middle of the key.
TEST_F(RemoteOpenAiTest, AKeyThatTheServerSpellsInItsOwnWayIsNotPassedOn) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.begin_stream("text/event-stream") &&
           peer.chunk(R"(data: {"error":{"message":")" + std::string(289, 'x') +
                      "sk/secret+0001\"}}\n\n") &&
           peer.send("0\r\n\r\n");
  });
  upstream.refusal = R"({"error":{"message":"bad key sk\/secret\u002B0001"}})";
  upstream.list_status = 401;
  options_.api_key = "sk/secret+0001";
  host(upstream.port(), "/v1");
  open(true);
  ASSERT_TRUE(wait_until([&] { return backend_->status().health == Health::unhealthy; }));
  EXPECT_THAT(backend_->status().detail, ::testing::EndsWith("bad key [the key]"));
  EXPECT_THAT(answer_to()->ending(), ::testing::EndsWith("x[the key]"));
}

bool say_hi(Peer& peer, const std::string&, int) {
  return peer.begin_stream("text/event-stream") &&
         peer.chunk(
             "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
             "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n") &&
         peer.send("0\r\n\r\n");
}

TEST_F(RemoteOpenAiTest, AListThatIsRefusedIsNoFaultOfAServerThatAnswers) {
  FakeUpstream upstream([](Peer& peer, const std::string& request, int number) {
    return number == 0 ? say_hi(peer, request, number) : peer.answer(401, "{}");
  });
  upstream.list_status = 403;
  host(upstream.port(), "/v1");
  open(true);
  const auto is = [this](Health health) {
    return wait_until([&] { return backend_->status().health == health; });
  };
  EXPECT_TRUE(is(Health::unhealthy)) << "nothing good was heard of it yet";
  EXPECT_EQ(answer_to()->answer, "Hi");
  const int listings = upstream.listings();
  ASSERT_TRUE(wait_until([&] { return upstream.listings() > listings + 3; }));
  EXPECT_EQ(backend_->status().health, Health::healthy);
  EXPECT_EQ(answer_to()->error(), ErrorCode::backend_unavailable);
  EXPECT_TRUE(is(Health::unhealthy)) << "it refuses the chats, too";
}

TEST_F(RemoteOpenAiTest, ARefusedFormIsChangedAndRemembered) {
  // A stand-in that refuses what OpenAI's reasoning models refuse.
  FakeUpstream upstream([](Peer& peer, const std::string& request, int number) {
    const auto has = [&](const char* field) { return request.find(field) != request.npos; };
    if (has("\"max_tokens\"")) {
      return peer.answer(400, R"({"error":{"message":"Use 'max_completion_tokens' instead."}})");
    }
    if (has("\"temperature\"")) {
      return peer.answer(400, R"({"error":{"message":"Unsupported value: 'temperature'"}})");
    }
    return say_hi(peer, request, number);
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_EQ(upstream.chats(), 3);
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_EQ(upstream.chats(), 4);
}

TEST_F(RemoteOpenAiTest, AllFormsTogetherMayBeWanted) {
  FakeUpstream upstream([](Peer& peer, const std::string& request, int number) {
    for (const char* field : {"max_tokens", "temperature", "stream_options"}) {
      if (request.find("\"" + std::string(field) + "\"") == request.npos) continue;
      return peer.answer(400,
                         R"({"error":{"message":"unsupported; max_completion_tokens?","param":")" +
                             std::string(field) + "\"}}");
    }
    return say_hi(peer, request, number);
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_EQ(upstream.chats(), 4);
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_EQ(upstream.chats(), 5) << "it is remembered";
}

// Its words may be the prompt's.
TEST_F(RemoteOpenAiTest, AFormThatWasRefusedTooIsNotKept) {
  std::string asked;
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int number) {
    asked = request;
    if (request.find("is not supported") == request.npos) return say_hi(peer, request, number);
    return peer.answer(400, R"({"error":{"message":"bad: 'temperature' is not supported"}})");
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to("'temperature' is not supported")->error(), ErrorCode::generation_error);
  EXPECT_THAT(asked, ::testing::Not(HasSubstr("\"temperature\"")));
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_THAT(asked, HasSubstr("\"temperature\""));
}

TEST_F(RemoteOpenAiTest, AServerThatRefusesEveryFormIsAskedThreeTimes) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    return peer.answer(400,
                       R"({"error":"max_completion_tokens and temperature are not supported"})");
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to()->error(), ErrorCode::generation_error);
  EXPECT_EQ(upstream.chats(), 3);
}

TEST_F(RemoteOpenAiTest, EventsOfOtherNamesArePassedOver) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int number) {
    const std::string name = number == 0 ? "ping" : "error";
    return peer.begin_stream("text/event-stream") &&
           peer.chunk("event: " + name + "\ndata: {\"message\":\"out of memory\"}\n\n") &&
           peer.chunk(
               "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
               "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n") &&
           peer.send("0\r\n\r\n");
  });
  host(upstream.port(), "/v1");
  open(true);
  EXPECT_EQ(answer_to()->answer, "Hi");
  EXPECT_THAT(answer_to()->ending(), HasSubstr("out of memory"));
}

TEST_F(RemoteOpenAiTest, AWholeAnswerWithoutItsEndIsNotWaitedFor) {
  FakeUpstream upstream([](Peer& peer, const std::string&, int) {
    peer.begin_stream("text/event-stream");
    peer.chunk(
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
        "\"finish_reason\":\"stop\"}]}\n\n");
    while (peer.chunk(": still here\n\n"))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return false;
  });
  host(upstream.port(), "/v1");
  open(true);
  const auto begin = std::chrono::steady_clock::now();
  const auto sink = answer_to();
  EXPECT_EQ(sink->answer, "Hi");
  EXPECT_EQ(sink->ending(), "stop");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(RemoteOpenAiTest, EventsOfAnOpenAiCompatibleServer) {
  std::string asked;
  FakeUpstream upstream([&](Peer& peer, const std::string& request, int) {
    asked = request;
    const auto event = [](const std::string& delta, const std::string& finish) {
      return R"(data: {"choices":[{"index":0,"delta":{"content":")" + delta +
             R"("},"finish_reason":)" + finish + "}]}\r\n\r\n";
    };
    return peer.begin_stream("text/event-stream") && peer.chunk(": hello\n\n") &&
           peer.chunk(event("He", "null") + event("llo", "null")) &&
           peer.chunk(event("", "\"length\"")) &&
           peer.chunk(
               "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,"
               "\"completion_tokens\":2}}\n\ndata: [DO") &&
           peer.chunk("NE]\n\n") && peer.send("0\r\n\r\n");
  });
  options_.api_key = "secret";
  host(upstream.port(), "/v1");
  open(true);
  const auto sink = answer_to();
  EXPECT_EQ(sink->answer, "Hello");
  EXPECT_EQ(sink->ending(), "length");
  EXPECT_EQ((*sink->outcome)->prompt_tokens, 5);
  EXPECT_THAT(asked, HasSubstr("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr("Authorization: Bearer secret\r\n"));
}

}  // namespace
}  // namespace tars::llm

#include "llm/remote/sse_parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace tars::llm {
namespace {

using Events = std::vector<std::string>;

// The same events must come out however the bytes were cut.
Events events_of(const std::string& bytes, std::size_t max = 1000) {
  std::optional<Events> first;
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    SseParser parser(max);
    Events events;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      const auto fed =
          parser.feed(bytes.substr(at, step), [&](std::string_view name, std::string_view data) {
            events.push_back((name.empty() ? "" : std::string(name) + "=") + std::string(data));
            return Result<void>();
          });
      if (!fed) {
        events.push_back("error");
        break;
      }
    }
    if (!first) first = events;
    EXPECT_EQ(events, *first) << "cut every " << step;
  }
  return first.value_or(Events{});
}

// The examples of the standard, section 9.2.6.
TEST(SseParser, DataLinesAreJoined) {
  EXPECT_EQ(events_of("data: YHOO\ndata: +2\ndata: 10\n\n"), (Events{"YHOO\n+2\n10"}));
}

TEST(SseParser, CommentsIdsAndRetryArePassedOverAndANameIsOfItsEvent) {
  EXPECT_EQ(events_of(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                      "event: x\nretry: 9\ndata:  third event\n\n"),
            (Events{"first event", "second event", "x= third event"}));
}

TEST(SseParser, EmptyDataAndUnfinishedEvents) {
  EXPECT_EQ(events_of("data\n\ndata\ndata\n\ndata:"), (Events{"", "\n"}));
  EXPECT_EQ(events_of("data:test\n\ndata: test\n\n"), (Events{"test", "test"}));
  EXPECT_EQ(events_of("event: only\n\n\n\n"), Events{});
  EXPECT_EQ(events_of("event: only\n\ndata: next\n\n"), Events{"next"});
}

TEST(SseParser, LinesEndWithAnyOfTheThree) {
  EXPECT_EQ(events_of("data:a\r\n\r\ndata:b\r\rdata:c\n\ndata:d\r\n\r"),
            (Events{"a", "b", "c", "d"}));
}

TEST(SseParser, AByteOrderMarkIsSkippedAtTheBeginningOnly) {
  EXPECT_EQ(events_of("\xEF\xBB\xBF"
                      "data:a\n\n"
                      "\xEF\xBB\xBF"
                      "data:b\n\n"),
            (Events{"a"}));
}

TEST(SseParser, FieldsMustMatchWhole) {
  EXPECT_EQ(events_of("dat: a\ndatas: b\n data: c\nDATA: d\n\ndata: e\n\n"), (Events{"e"}));
}

TEST(SseParser, AnObjectInAFieldNamedErrorIsAnErrorEvent) {
  SseParser parser(100);
  std::vector<std::string> events;
  ASSERT_TRUE(parser.feed("error: {\"code\":400}\n\nerror: text\n\ndata: x\n\n",
                          [&](std::string_view name, std::string_view data) {
                            events.push_back(std::string(name) + "|" + std::string(data));
                            return Result<void>();
                          }));
  EXPECT_EQ(events, (std::vector<std::string>{"error|{\"code\":400}", "|x"}));
}

TEST(SseParser, LinesAndEventsAreBounded) {
  EXPECT_EQ(events_of("data:" + std::string(200, 'x') + "\n\n", 100), (Events{"error"}));
  std::string many;
  for (int i = 0; i < 30; ++i) many += "data: 0123456789\n";
  EXPECT_EQ(events_of(many + "\n", 100), (Events{"error"}));
}

TEST(SseParser, AnErrorOfTheTakerStopsIt) {
  SseParser parser(100);
  int taken = 0;
  EXPECT_FALSE(
      parser.feed("data:a\n\ndata:b\n\n", [&](std::string_view, std::string_view) -> Result<void> {
        ++taken;
        return make_error(ErrorCode::internal, "no");
      }));
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace tars::llm

#include "net/client/read_poller.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include "../../../support/descriptor_limit.h"
#include "net/client/stream_pace.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What a reader saw; outlives it.
struct Seen {
  std::string bytes;
  int reads = 0;
  error_code ec;
  int completions = 0;
  int destroyed = 0;
  std::function<bool()> on_bytes = [] { return true; };
};

class TestReader final : public ReadPoller::Reader {
 public:
  explicit TestReader(Seen& seen) : seen_(seen) {}
  ~TestReader() override { ++seen_.destroyed; }
  bool on_read(const error_code& ec, std::string_view bytes) noexcept override {
    EXPECT_EQ(seen_.completions, 0);
    seen_.ec = ec;
    seen_.bytes += bytes;
    ++seen_.reads;
    return seen_.on_bytes();
  }
  void complete() override { ++seen_.completions; }

 private:
  Seen& seen_;
};

class ReadPollerTest : public ::testing::Test {
 protected:
  // A watched socket and its peer, both closed with it.
  struct Pair {
    Pair() {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
      ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    }
    ~Pair() {
      ::close(ends[0]);
      hang_up();
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    void send(std::string_view bytes) const {
      EXPECT_EQ(::write(ends[1], bytes.data(), bytes.size()), std::ssize(bytes));
    }
    void hang_up() {
      if (ends[1] >= 0) ::close(ends[1]);
      ends[1] = -1;
    }
    std::array<int, 2> ends{-1, -1};
  };

  Result<void> watch(const Pair& pair, Seen& seen) {
    std::unique_ptr<ReadPoller::Reader> reader = std::make_unique<TestReader>(seen);
    return poller().add(pair.ends[0], reader);
  }
  ReadPoller& poller() { return asio::use_service<ReadPoller>(*context_); }
  // Until nothing is to be done; a reader that waits for ever fails the test here.
  void run() {
    context_->restart();
    context_->run_for(std::chrono::seconds(10));
    EXPECT_TRUE(context_->stopped());
  }
  void poll() {
    context_->restart();
    context_->poll();
  }
  // Until it is known as one of which more is to be expected at once, and its last piece, an x,
  // waits.
  void watch_until_it_waits(const Pair& pair, Seen& seen) {
    if (!poller().coalesces(std::chrono::steady_clock::now())) poller().coalesce_from(0);
    ASSERT_TRUE(watch(pair, seen));
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (std::size_t sent = 0; sent == seen.bytes.size(); ++sent) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "it never waits";
      pair.send("x");
      poll();
    }
    EXPECT_TRUE(poller().coalesces(std::chrono::steady_clock::now()));
  }

  // Until the next read.
  void run_until_read(const Seen& seen) {
    for (const int reads = seen.reads; seen.reads == reads;) {
      context_->restart();
      ASSERT_GT(context_->run_one_for(std::chrono::seconds(10)), 0U);
    }
  }

  std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>();
};

TEST_F(ReadPollerTest, GivesWhatComesUntilThePeerCloses) {
  Pair pair;
  Seen seen;
  ASSERT_TRUE(watch(pair, seen));
  pair.send("one ");
  poll();
  EXPECT_EQ(seen.bytes, "one ");
  EXPECT_EQ(seen.completions, 0);
  pair.send("two");
  pair.hang_up();
  run();
  EXPECT_EQ(seen.bytes, "one two");
  EXPECT_EQ(seen.ec, asio::error::eof);
  EXPECT_EQ(seen.completions, 1);
  EXPECT_EQ(seen.destroyed, 1);
}

TEST_F(ReadPollerTest, WhatWasThereBeforeIsRead) {
  Pair pair;
  pair.send("early");
  pair.hang_up();
  Seen seen;
  ASSERT_TRUE(watch(pair, seen));
  run();
  EXPECT_EQ(seen.bytes, "early");
  EXPECT_EQ(seen.ec, asio::error::eof);
}

TEST_F(ReadPollerTest, MoreThanOneReadTakesIsReadToItsEnd) {
  Pair pair;
  Seen seen;
  ASSERT_TRUE(watch(pair, seen));
  const std::string much(1'000'000, 'x');
  std::thread sender([&] {
    pair.send(much);
    pair.hang_up();
  });
  run();
  sender.join();
  EXPECT_EQ(seen.bytes, much);
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, TheEndBehindOneWholeReadIsSeen) {
  const std::string whole(64 * 1024, 'x');
  for (const bool early : {true, false}) {
    Pair pair;
    Seen seen;
    if (!early) {
      ASSERT_TRUE(watch(pair, seen));
      poll();
    }
    pair.send(whole);
    pair.hang_up();
    if (early) {
      ASSERT_TRUE(watch(pair, seen));
    }
    run();
    EXPECT_EQ(seen.bytes, whole);
    EXPECT_EQ(seen.ec, asio::error::eof);
    EXPECT_EQ(seen.completions, 1);
  }
}

TEST_F(ReadPollerTest, WhoComesWhileTheLastOneLeavesIsServed) {
  Pair first;
  Seen left;
  ASSERT_TRUE(watch(first, left));
  poll();
  poller().abort(first.ends[0]);  // takes back the wait, which ends in the event loop
  Pair second;
  Seen seen;
  ASSERT_TRUE(watch(second, seen));
  poll();
  EXPECT_EQ(left.completions, 1);
  second.send("here");
  second.hang_up();
  run();
  EXPECT_EQ(seen.bytes, "here");
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, AReaderThatHasEnoughIsAskedNoMore) {
  Pair pair;
  Seen seen;
  seen.on_bytes = [] { return false; };
  ASSERT_TRUE(watch(pair, seen));
  pair.send("enough");
  run();  // the context has nothing to wait for
  EXPECT_EQ(seen.completions, 1);
  EXPECT_EQ(poller().waiting(), 0U);
  pair.send("more");
  run();
  EXPECT_EQ(seen.bytes, "enough");
  // The socket can be watched again.
  Seen again;
  ASSERT_TRUE(watch(pair, again));
  pair.hang_up();
  run();
  EXPECT_EQ(again.bytes, "more");
}

TEST_F(ReadPollerTest, AnAbortIsToldByTheEventLoop) {
  Pair pair;
  Seen seen;
  ASSERT_TRUE(watch(pair, seen));
  poller().abort(pair.ends[0]);
  EXPECT_FALSE(seen.ec);
  run();
  EXPECT_EQ(seen.ec, asio::error::operation_aborted);
  EXPECT_EQ(seen.completions, 1);
  poller().abort(pair.ends[0]);  // nobody there
}

TEST_F(ReadPollerTest, AReaderMayAbortItselfAndOthersOfTheSameTurn) {
  std::array<Pair, 3> pairs;
  std::array<Seen, 3> seen;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].send("x");
    seen[i].on_bytes = [&] {
      for (const Pair& pair : pairs) poller().abort(pair.ends[0]);
      return true;
    };
    ASSERT_TRUE(watch(pairs[i], seen[i]));
  }
  run();
  std::string all;
  for (const Seen& one : seen) {
    EXPECT_EQ(one.ec, asio::error::operation_aborted);
    EXPECT_EQ(one.completions, 1);
    all += one.bytes;
  }
  EXPECT_EQ(all, "x");  // who was served first
}

TEST_F(ReadPollerTest, ServesMoreSocketsThanOneTurnTakes) {
  std::array<Pair, 200> pairs;
  std::array<Seen, 200> seen;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ASSERT_TRUE(watch(pairs[i], seen[i]));
    pairs[i].send(std::to_string(i));
    pairs[i].hang_up();
  }
  run();
  for (std::size_t i = 0; i < pairs.size(); ++i) EXPECT_EQ(seen[i].bytes, std::to_string(i));
}

TEST_F(ReadPollerTest, WhoCannotBeWatchedKeepsItsReader) {
  Seen seen;
  std::unique_ptr<ReadPoller::Reader> reader = std::make_unique<TestReader>(seen);
  EXPECT_FALSE(poller().add(-1, reader));
  EXPECT_TRUE(reader);
  Pair pair;
  ASSERT_TRUE(watch(pair, seen));
  EXPECT_FALSE(poller().add(pair.ends[0], reader));  // one reader a socket
  EXPECT_TRUE(reader);
  poller().abort(pair.ends[0]);
  run();
}

TEST_F(ReadPollerTest, NeedsNoDescriptorLater) {
  Pair pair;
  poller();
  Seen seen;
  const auto watched = [&] {
    const DescriptorLimit none(0);
    return watch(pair, seen);
  }();
  ASSERT_TRUE(watched);
  pair.send("one");
  pair.hang_up();
  run();
  EXPECT_EQ(seen.bytes, "one");
}

TEST_F(ReadPollerTest, PiecesThatComeSoonAreReadTogetherWhenThatIsAsked) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  const int reads = seen.reads;
  const std::size_t read = seen.bytes.size();
  pair.send("y");
  // The next piece does not come: it is read all the same.
  run_until_read(seen);
  EXPECT_EQ(seen.reads, reads + 1);
  EXPECT_EQ(seen.bytes.substr(read), "xy");
  pair.hang_up();
  run();
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, AnEndDoesNotWait) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  const std::size_t read = seen.bytes.size();
  pair.send("y");
  pair.hang_up();
  poll();
  EXPECT_EQ(seen.bytes.substr(read), "xy");
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, WhoWaitsForMoreCanBeAborted) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  const std::size_t read = seen.bytes.size();
  poller().abort(pair.ends[0]);
  run();
  EXPECT_EQ(seen.ec, asio::error::operation_aborted);
  EXPECT_EQ(seen.bytes.size(), read);
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, WhatWaitsIsReadWhenNothingIsToWaitAnyMore) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  const std::size_t read = seen.bytes.size();
  poller().coalesce_from(1e9);
  pair.send("y");
  poll();
  EXPECT_EQ(seen.bytes.substr(read), "xy");
  poller().abort(pair.ends[0]);
  run();
}

TEST_F(ReadPollerTest, EachIsReadWhenItIsDue) {
  std::array<Pair, 2> pairs;
  std::array<Seen, 2> seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pairs[0], seen[0]));
  std::this_thread::sleep_for(StreamPace::kLongestWait / 3);
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pairs[1], seen[1]));
  // The first one's timer finds it read, and is set for the second.
  pairs[0].hang_up();
  poll();
  EXPECT_EQ(seen[0].completions, 1);
  run_until_read(seen[1]);
  poller().abort(pairs[1].ends[0]);
  run();
}

TEST_F(ReadPollerTest, AfterAWaitInVainTheNextPiecesAreReadAtOnce) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  run_until_read(seen);
  for (int i = 0; i < 4; ++i) {
    const std::size_t read = seen.bytes.size();
    pair.send("y");
    poll();
    EXPECT_EQ(seen.bytes.substr(read), "y") << i;
  }
  pair.hang_up();
  run();
}

TEST_F(ReadPollerTest, MoreThanOneReadTakesIsReadBehindAWait) {
  Pair pair;
  Seen seen;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(pair, seen));
  const std::size_t read = seen.bytes.size();
  const std::string much(1'000'000, 'y');
  std::thread sender([&] {
    pair.send(much);
    pair.hang_up();
  });
  run();
  sender.join();
  EXPECT_EQ(seen.bytes.substr(read), "x" + much);
  EXPECT_EQ(seen.completions, 1);
}

TEST_F(ReadPollerTest, WhoStillWaitsGoesWithTheContext) {
  Pair pair;
  Seen seen;
  ASSERT_TRUE(watch(pair, seen));
  poll();
  Pair other;
  Seen with_bytes;
  ASSERT_NO_FATAL_FAILURE(watch_until_it_waits(other, with_bytes));
  context_.reset();
  for (const Seen& one : {seen, with_bytes}) {
    EXPECT_EQ(one.destroyed, 1);
    EXPECT_EQ(one.completions, 0);
  }
}

}  // namespace
}  // namespace tars::net

#include "chat/run_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace tars::chat {
namespace {

using Admission = RunQueue::Admission;

RunQueue::Ticket ticket(const std::string& client, int n, std::string conversation = {}) {
  const std::string run = client + std::to_string(n);
  return {.run = run, .client = client, .conversation = conversation.empty() ? run : conversation};
}

RunQueue::Room room(int slots) {
  return [slots](const std::string&) { return RunQueue::LaneRoom{.runs = slots}; };
}
std::string next(RunQueue& queue, int slots) { return queue.next(room(slots)).value_or("-"); }

TEST(RunQueueTest, StartsAtOnceWhileThereIsASlot) {
  RunQueue queue({});
  EXPECT_EQ(queue.admit(ticket("a", 1), room(2)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("b", 1), room(2)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("c", 1), room(2)), Admission::waiting);
  EXPECT_EQ(queue.running(), 2u);
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_EQ(next(queue, 2), "-");
  queue.remove("a1");
  EXPECT_EQ(next(queue, 2), "c1");
}

TEST(RunQueueTest, StartsRoundRobinBetweenClients) {
  RunQueue queue({});
  queue.admit(ticket("x", 0), room(1));
  for (int i = 1; i <= 3; ++i) queue.admit(ticket("a", i), room(1));
  for (int i = 1; i <= 2; ++i) queue.admit(ticket("b", i), room(1));
  queue.admit(ticket("c", 1), room(1));
  std::vector<std::string> started;
  std::string running = "x0";
  while (queue.waiting() > 0) {
    queue.remove(running);
    running = next(queue, 1);
    started.push_back(running);
  }
  EXPECT_EQ(started, (std::vector<std::string>{"a1", "b1", "c1", "a2", "b2", "a3"}));
}

TEST(RunQueueTest, AFirstRunGoesBeforeAnotherClientsFifth) {
  RunQueue queue({});
  for (int i = 1; i <= 4; ++i) queue.admit(ticket("a", i), room(4));
  queue.admit(ticket("a", 5), room(4));
  queue.admit(ticket("b", 1), room(4));
  EXPECT_EQ(queue.order(), (std::vector<std::string>{"b1", "a5"}));
  queue.remove("a1");
  EXPECT_EQ(next(queue, 4), "b1");
}

TEST(RunQueueTest, BoundsRunningAndWaitingPerClient) {
  RunQueue queue({.running_per_client = 4, .waiting_per_client = 16, .waiting_total = 256});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(queue.admit(ticket("a", i), room(100)), Admission::started);
  for (int i = 4; i < 20; ++i)
    EXPECT_EQ(queue.admit(ticket("a", i), room(100)), Admission::waiting);
  EXPECT_EQ(queue.admit(ticket("a", 20), room(100)), Admission::client_full);
  EXPECT_EQ(queue.admit(ticket("b", 0), room(100)), Admission::started);
  EXPECT_EQ(next(queue, 100), "-");
  queue.remove("a2");
  EXPECT_EQ(next(queue, 100), "a4");
}

TEST(RunQueueTest, BoundsWaitingInAll) {
  RunQueue queue({.running_per_client = 4, .waiting_per_client = 16, .waiting_total = 3});
  queue.admit(ticket("x", 0), room(1));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.admit(ticket("c" + std::to_string(i), 0), room(1)), Admission::waiting);
  }
  EXPECT_EQ(queue.admit(ticket("late", 0), room(1)), Admission::total_full);
  queue.remove("c10");
  EXPECT_EQ(queue.admit(ticket("late", 0), room(1)), Admission::waiting);
}

TEST(RunQueueTest, TurnsOfOneConversationDoNotOverlapAndBlockNoOther) {
  RunQueue queue({});
  EXPECT_EQ(queue.admit(ticket("a", 1, "same"), room(9)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("a", 2, "same"), room(9)), Admission::waiting);
  EXPECT_EQ(queue.admit(ticket("a", 3, "same"), room(9)), Admission::waiting);
  EXPECT_EQ(queue.admit(ticket("a", 4, "other"), room(9)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("b", 1, "same"), room(9)), Admission::started) << "another client's";
  EXPECT_EQ(next(queue, 9), "-");
  queue.remove("a1");
  EXPECT_EQ(next(queue, 9), "a2");
  EXPECT_EQ(next(queue, 9), "-");
  queue.remove("a2");
  EXPECT_EQ(next(queue, 9), "a3");
}

TEST(RunQueueTest, OrderPutsTheBlockedLast) {
  RunQueue queue({});
  queue.admit(ticket("a", 1, "same"), room(2));
  queue.admit(ticket("b", 1), room(2));
  queue.admit(ticket("a", 2, "same"), room(2));
  queue.admit(ticket("a", 3), room(2));
  queue.admit(ticket("b", 2), room(2));
  EXPECT_EQ(queue.order(), (std::vector<std::string>{"a3", "b2", "a2"}));
}

TEST(RunQueueTest, PutBackIsFirstInItsLine) {
  RunQueue queue({});
  queue.admit(ticket("a", 1), room(1));
  queue.admit(ticket("a", 2), room(1));
  queue.put_back("a1");
  EXPECT_EQ(queue.running(), 0u);
  EXPECT_EQ(queue.order(), (std::vector<std::string>{"a1", "a2"}));
  queue.put_back("unknown");
  queue.remove("unknown");
  EXPECT_EQ(queue.waiting(), 2u);
}

RunQueue::Room pausing(int slots) {
  return [slots](const std::string&) { return RunQueue::LaneRoom{.runs = slots, .pauses = true}; };
}

TEST(RunQueueTest, WhereAnswersPauseAFirstRunStartsInAFullLane) {
  RunQueue queue({});
  for (const char* client : {"a", "b"}) {
    for (int i = 1; i <= 4; ++i) {
      EXPECT_EQ(queue.admit(ticket(client, i), pausing(8)), Admission::started);
    }
  }
  EXPECT_EQ(queue.admit(ticket("c", 1), pausing(8)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("c", 2), pausing(8)), Admission::waiting) << "it runs one";
  EXPECT_EQ(queue.admit(ticket("a", 5), pausing(8)), Admission::waiting) << "it runs four";
  EXPECT_EQ(queue.running(), 9U);
  queue.remove("a1");
  EXPECT_EQ(queue.next(pausing(8)), std::nullopt) << "the paused one has the place";
  queue.remove("b1");
  EXPECT_EQ(queue.next(pausing(8)), "c2");
}

TEST(RunQueueTest, WhereAnswersPauseEveryClientKeepsAPlace) {
  RunQueue queue({});
  for (int i = 1; i <= 3; ++i) queue.admit(ticket("a", i), pausing(3));
  EXPECT_EQ(queue.admit(ticket("b", 1), pausing(3)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("c", 1), pausing(3)), Admission::started);
  EXPECT_EQ(queue.admit(ticket("d", 1), pausing(3)), Admission::waiting)
      << "three have a place each";
  queue.remove("a1");
  queue.remove("a2");
  EXPECT_EQ(queue.next(pausing(3)), std::nullopt);
  queue.remove("a3");
  EXPECT_EQ(queue.next(pausing(3)), "d1");
  EXPECT_EQ(queue.admit(ticket("e", 1), pausing(0)), Admission::waiting) << "a lane that is held";
}

TEST(RunQueueTest, ARunThatWasPutBackLeavesItsClientAFirstOneAgain) {
  RunQueue queue({});
  for (int i = 1; i <= 2; ++i) queue.admit(ticket("a", i), pausing(2));
  EXPECT_EQ(queue.admit(ticket("b", 1), pausing(2)), Admission::started);
  queue.put_back("b1");
  EXPECT_EQ(queue.next(pausing(2)), "b1");
}

// Random traffic: the bounds hold, order() names what next() starts, conversations never overlap,
// and whoever waits starts within as many starts as a fair share allows.
TEST(RunQueueTest, PropertyBoundsOrderAndNoStarvation) {
  const RunQueue::Limits limits{
      .running_per_client = 2, .waiting_per_client = 5, .waiting_total = 12};
  constexpr int kSlots = 3;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    RunQueue queue(limits);
    std::map<std::string, RunQueue::Ticket> known;
    std::set<std::string> running;
    std::map<std::string, int> waited;  // starts seen while waiting
    for (int step = 0; step < 400; ++step) {
      if (random() % 2 == 0) {
        // "a" floods; the others come now and then.
        const std::string client(1,
                                 random() % 3 != 0 ? 'a' : static_cast<char>('b' + random() % 4));
        auto t = ticket(client, step, random() % 3 == 0 ? "shared" : "");
        known[t.run] = t;
        switch (queue.admit(t, room(kSlots))) {
          case Admission::started: running.insert(t.run); break;
          case Admission::waiting: waited[t.run] = 0; break;
          default: break;
        }
      } else if (!running.empty()) {
        auto victim = running.begin();
        std::advance(victim, static_cast<long>(random() % running.size()));
        queue.remove(*victim);
        running.erase(victim);
      }
      while (true) {
        const auto order = queue.order();
        ASSERT_EQ(order.size(), queue.waiting());
        const auto started = queue.next(room(kSlots));
        if (!started) break;
        ASSERT_EQ(*started, order.front());
        waited.erase(*started);
        running.insert(*started);
        for (auto& [run, starts] : waited)
          ASSERT_LT(++starts, 60) << run << " starves, seed " << seed;
      }
      ASSERT_LE(queue.running(), static_cast<std::size_t>(kSlots));
      ASSERT_LE(queue.waiting(), 12u);
      ASSERT_EQ(queue.waiting(), waited.size());
      std::map<std::string, int> per_client;
      std::set<std::string> conversations;
      for (const auto& run : running) {
        ASSERT_LE(++per_client[known[run].client], 2);
        ASSERT_TRUE(conversations.insert(known[run].client + known[run].conversation).second);
      }
    }
    // All of what can start, not just its first.
    for (const std::string& run : queue.order()) {
      const auto started = queue.next(room(99));
      if (!started) break;
      ASSERT_EQ(*started, run) << "seed " << seed;
    }
    ASSERT_EQ(queue.next(room(99)), std::nullopt);
  }
}

TEST(RunQueue, AFullLaneHoldsUpNoOther) {
  RunQueue queue({});
  const RunQueue::Room rooms = [](const std::string& lane) {
    return RunQueue::LaneRoom{.runs = lane == "slow" ? 1 : 2};
  };
  const auto in = [](const std::string& lane, const std::string& client, int n) {
    RunQueue::Ticket out = ticket(client, n);
    out.lane = lane;
    return out;
  };
  EXPECT_EQ(queue.admit(in("slow", "a", 1), rooms), Admission::started);
  EXPECT_EQ(queue.admit(in("slow", "b", 1), rooms), Admission::waiting);
  EXPECT_EQ(queue.admit(in("fast", "c", 1), rooms), Admission::started);
  EXPECT_EQ(queue.admit(in("fast", "c", 2), rooms), Admission::started);
  EXPECT_EQ(queue.admit(in("fast", "d", 1), rooms), Admission::waiting);
  EXPECT_EQ(queue.next(rooms), std::nullopt);
  queue.remove("c1");
  EXPECT_EQ(queue.next(rooms), "d1") << "b waits for the other lane";
  queue.remove("a1");
  EXPECT_EQ(queue.next(rooms), "b1");
  queue.put_back("b1");
  EXPECT_EQ(queue.next(rooms), "b1");
}

TEST(RunQueue, ATurnInAFreeLaneWaitsForTheEarlierTurnInAFullOne) {
  RunQueue queue({});
  const RunQueue::Room rooms = room(1);
  const auto in = [](const std::string& lane, const std::string& client, int n, const char* of) {
    RunQueue::Ticket out = ticket(client, n, of);
    out.lane = lane;
    return out;
  };
  EXPECT_EQ(queue.admit(in("slow", "a", 1, "x"), rooms), Admission::started);
  EXPECT_EQ(queue.admit(in("slow", "b", 1, "talk"), rooms), Admission::waiting);
  EXPECT_EQ(queue.admit(in("fast", "b", 2, "talk"), rooms), Admission::waiting);
  EXPECT_EQ(queue.admit(in("fast", "b", 3, "other"), rooms), Admission::started);
  queue.remove("b3");
  EXPECT_EQ(queue.next(rooms), std::nullopt);
  EXPECT_EQ(queue.order(), (std::vector<std::string>{"b1", "b2"}));
  queue.remove("a1");
  EXPECT_EQ(queue.next(rooms), "b1");
  EXPECT_EQ(queue.next(rooms), std::nullopt);
  queue.remove("b1");
  EXPECT_EQ(queue.next(rooms), "b2");
}

TEST(RunQueue, TellsWhetherAnythingChanged) {
  RunQueue queue({});
  auto seen = queue.changes();
  const auto changed = [&] { return std::exchange(seen, queue.changes()) != seen; };
  queue.admit(ticket("a", 1), room(1));
  EXPECT_TRUE(changed());
  queue.admit(ticket("a", 2), room(1));
  EXPECT_TRUE(changed());
  EXPECT_EQ(next(queue, 1), "-");
  EXPECT_FALSE(changed());
  queue.put_back("a1");
  EXPECT_TRUE(changed());
  EXPECT_EQ(next(queue, 1), "a1");
  EXPECT_TRUE(changed());
  queue.remove("a1");
  EXPECT_TRUE(changed());
}

}  // namespace
}  // namespace tars::chat

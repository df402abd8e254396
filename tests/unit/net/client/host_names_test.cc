#include "net/client/host_names.h"

#include <gmock/gmock.h>
#include <boost/asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "../../../support/descriptor_limit.h"
#include "local_peer.h"
#include "net/client/http_client.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using net::testing::LocalPeer;
using net::testing::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A stand-in for the system's resolver: hangs until open() for "slow", and counts what it is asked.
struct FakeResolver {
  HostNames::Ask ask() {
    return [state = state](const std::string& name) { return state->answer(name); };
  }
  void open() {
    std::lock_guard lock(state->mutex);
    state->is_open = true;
    state->changed.notify_all();
  }
  int asked() const { return state->asked; }
  void fail_with(std::optional<ErrorCode> code) {
    std::lock_guard lock(state->mutex);
    state->failing = code;
  }

  struct State {
    Result<HostNames::Addresses> answer(const std::string& name) {
      ++asked;
      std::unique_lock lock(mutex);
      if (name.starts_with("slow")) changed.wait(lock, [this] { return is_open; });
      if (failing) return make_error(*failing, "told to fail");
      return HostNames::Addresses{make_address("127.0.0.1")};
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
    std::optional<ErrorCode> failing;
    std::atomic<int> asked{0};
  };
  std::shared_ptr<State> state = std::make_shared<State>();
};

class HostNamesTest : public ::testing::Test {
 protected:
  ~HostNamesTest() override { resolver_.open(); }

  void make(HostNameLimits limits) {
    names_ = std::make_shared<HostNames>(limits, resolver_.ask());
  }
  Result<HostNames::Addresses> look_up(const std::string& name) {
    HostLookup lookup(context_, names_);
    return run(context_, lookup.run(name));
  }
  bool wait_until(const std::function<bool()>& what) {
    for (int i = 0; i < 2000 && !what(); ++i) std::this_thread::sleep_for(10ms);
    return what();
  }

  FakeResolver resolver_;
  boost::asio::io_context context_{1};
  std::shared_ptr<HostNames> names_ =
      std::make_shared<HostNames>(HostNameLimits{}, resolver_.ask());
};

TEST_F(HostNamesTest, AnAddressIsItsOwnAnswer) {
  EXPECT_THAT(look_up("127.0.0.9").value(), ElementsAre(make_address("127.0.0.9")));
  EXPECT_THAT(look_up("::1").value(), ElementsAre(make_address("::1")));
  EXPECT_EQ(resolver_.asked(), 0);
}

TEST_F(HostNamesTest, TheSystemIsAskedOnce) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(look_up("name").value(), ElementsAre(make_address("127.0.0.1")));
  }
  EXPECT_EQ(resolver_.asked(), 1);
}

TEST_F(HostNamesTest, WantOfDescriptorsIsNoWordAboutTheName) {
  std::shared_ptr<const Bell> running;
  const auto found = [&] {
    const DescriptorLimit none(0);
    return names_->find("name", running);
  }();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->error().code, ErrorCode::overloaded);
  EXPECT_TRUE(look_up("name"));

  resolver_.fail_with(ErrorCode::overloaded);
  EXPECT_EQ(look_up("other").error().code, ErrorCode::overloaded);
  resolver_.fail_with({});
  EXPECT_TRUE(look_up("other")) << "asked again at once";
}

TEST_F(HostNamesTest, ANameThatHangsHoldsUpNoOther) {
  HostLookup slow(context_, names_);
  std::optional<ErrorCode> ended;
  boost::asio::co_spawn(context_, slow.run("slow"),
                        [&](const std::exception_ptr&, const Result<HostNames::Addresses>& found) {
                          ended = found ? ErrorCode::internal : found.error().code;
                        });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(look_up("name" + std::to_string(i)));
  EXPECT_FALSE(ended);
  boost::asio::post(context_, [&] { slow.cancel(); });
  context_.restart();
  context_.run_for(20s);
  EXPECT_EQ(ended, ErrorCode::closed);
}

TEST_F(HostNamesTest, OneLookupOfANameServesAllWhoWait) {
  HostLookup first(context_, names_);
  HostLookup second(context_, names_);
  int found = 0;
  for (HostLookup* lookup : {&first, &second}) {
    boost::asio::co_spawn(
        context_, lookup->run("slow"),
        [&](const std::exception_ptr&, const Result<HostNames::Addresses>& addresses) {
          found += addresses ? 1 : 0;
        });
  }
  context_.run_for(50ms);
  EXPECT_EQ(found, 0);
  resolver_.open();
  context_.restart();
  context_.run_for(20s);
  EXPECT_EQ(found, 2);
  EXPECT_EQ(resolver_.asked(), 1);
}

TEST_F(HostNamesTest, WhoWaitsMayGoWithItsContextBeforeTheAnswerComes) {
  {
    boost::asio::io_context gone{1};
    auto lookup = std::make_shared<HostLookup>(gone, names_);
    boost::asio::co_spawn(gone, lookup->run("slow"),
                          [lookup](const std::exception_ptr&, const auto&) {});
    gone.poll();
  }
  const std::weak_ptr<HostNames> left = names_;
  names_.reset();
  EXPECT_FALSE(left.expired()) << "the lookup's thread shares it";
  resolver_.open();
  EXPECT_TRUE(wait_until([&] { return left.expired(); }));
}

TEST_F(HostNamesTest, OldAddressesServeWhileNewOnesAreLookedUp) {
  make({.fresh = 0ms});
  resolver_.open();
  EXPECT_TRUE(look_up("slow"));
  {
    std::lock_guard lock(resolver_.state->mutex);
    resolver_.state->is_open = false;
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(look_up("slow"));
  EXPECT_TRUE(wait_until([&] { return resolver_.asked() == 2; }));
}

TEST_F(HostNamesTest, AFailureLeavesOldAddressesUnlessTheNameIsGone) {
  make({.fresh = 0ms, .first_pause = 0ms});
  EXPECT_TRUE(look_up("name"));
  resolver_.fail_with(ErrorCode::io_error);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(look_up("name"));
  resolver_.fail_with(ErrorCode::not_found);
  EXPECT_TRUE(wait_until([&] { return !look_up("name"); }));
  EXPECT_THAT(look_up("name").error().message,
              HasSubstr("the name name has no address: told to fail"));
}

TEST_F(HostNamesTest, ANameThatFailsIsLeftAloneForLongerEachTime) {
  make({.first_pause = 20ms, .longest_pause = 10s});
  resolver_.fail_with(ErrorCode::not_found);
  const auto until = std::chrono::steady_clock::now() + 300ms;
  while (std::chrono::steady_clock::now() < until) {
    EXPECT_FALSE(look_up("name"));
    std::this_thread::sleep_for(1ms);
  }
  // After 0, 20, 60, 140 and 300 ms; without the doubling it would be 15 times.
  EXPECT_LE(resolver_.asked(), 5);
}

TEST_F(HostNamesTest, LookupsAreBounded) {
  make({.at_once = 1});
  HostLookup slow(context_, names_);
  boost::asio::co_spawn(context_, slow.run("slow"), [](const std::exception_ptr&, const auto&) {});
  context_.poll();
  EXPECT_THAT(look_up("name").error().message, HasSubstr("too many names"));
  resolver_.open();
  EXPECT_TRUE(wait_until([&] { return look_up("name").has_value(); }));
}

TEST_F(HostNamesTest, NamesAreBounded) {
  make({.names = 2});
  for (const char* name : {"a", "b", "c", "a"}) EXPECT_TRUE(look_up(name));
  EXPECT_EQ(resolver_.asked(), 4) << "a was pushed out";
}

TEST_F(HostNamesTest, ADoubtedNameIsLookedUpAgain) {
  EXPECT_TRUE(look_up("name"));
  names_->doubt("name");
  names_->doubt("another");
  EXPECT_TRUE(look_up("name"));
  EXPECT_EQ(resolver_.asked(), 1) << "it was looked up a moment ago";
  make({.fresh_at_least = 0ms});
  EXPECT_TRUE(look_up("name"));
  names_->doubt("name");
  EXPECT_TRUE(look_up("name"));
  EXPECT_TRUE(wait_until([&] { return resolver_.asked() == 3; }));
}

TEST_F(HostNamesTest, TheSystemKnowsItsOwnName) {
  EXPECT_THAT(HostNames::ask_system("localhost").value(), ::testing::Not(::testing::IsEmpty()));
  EXPECT_FALSE(HostNames::ask_system("no-such-name.invalid"));
}

// The client as a whole: a name that hangs costs its own deadline and nothing else.
TEST_F(HostNamesTest, AClientsRequestsToOtherHostsGoOnAndItEndsAtOnce) {
  LocalPeer peer([](auto& socket, int) {
    net::testing::read_head(socket);
    net::testing::send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    net::testing::wait_for_close(socket);
  });
  HttpClient client(context_, {.connect_timeout = 2s, .names = names_});
  const auto hanging = client.open({.host = "slow", .port = 1});
  const auto working = client.open({.host = "name", .port = peer.endpoint().port});
  std::optional<Error> ended;
  boost::asio::co_spawn(
      context_, hanging->start({}, 10s),
      [&](const std::exception_ptr&, const Result<void>& result) { ended = result.error(); });
  EXPECT_TRUE(run(context_, working->start({}, 10s)));
  EXPECT_FALSE(ended);
  while (!ended && context_.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(ended->code, ErrorCode::backend_unavailable);
  EXPECT_THAT(ended->message, HasSubstr("nobody tells its address in time"));
  client.close();
}

}  // namespace
}  // namespace tars::net

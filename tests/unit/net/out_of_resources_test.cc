#include "net/out_of_resources.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tars::net {
namespace {

bool is_ours(int number) { return is_out_of_resources({number, boost::system::system_category()}); }

TEST(OutOfResources, WantIsToldFromWhatOthersDid) {
  for (const int want : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) EXPECT_TRUE(is_ours(want)) << want;
  for (const int other : {0, ECONNREFUSED, ETIMEDOUT, ECONNRESET}) {
    EXPECT_FALSE(is_ours(other)) << other;
  }
}

}  // namespace
}  // namespace tars::net

#include "base/fault.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tars {
namespace {

TEST(Fault, IsDescribedByWhatItSays) {
  EXPECT_EQ(describe(std::make_exception_ptr(std::runtime_error("disk full"))), "disk full");
  EXPECT_EQ(describe(std::make_exception_ptr(7)), "unknown");
  EXPECT_EQ(describe({}), "");
}

}  // namespace
}  // namespace tars

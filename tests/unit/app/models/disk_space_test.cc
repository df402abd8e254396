#include "app/models/disk_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../support/temp_folder.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

TEST(DiskSpace, WhatFitsIsNoErrorAndWhatDoesNotIsTold) {
  const TempFolder folder;
  const auto file = folder.path() / "m.gguf.partial";  // not there yet
  EXPECT_TRUE(check_disk_space(file, 1));
  const auto full = check_disk_space(file, 4'000'000'000'000'000);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::io_error);
  EXPECT_THAT(full.error().message,
              HasSubstr("disk full: " + file.string() + " needs 4000000000 MB and there are "));
  EXPECT_THAT(full.error().message, HasSubstr(" MB free; free some space"));
  EXPECT_TRUE(check_disk_space("/no/such/folder/x", 1)) << "another fault, told by who writes";
}

TEST(DiskSpace, MegabytesAreAMillionBytes) {
  EXPECT_EQ(megabytes(999'999), "0 MB");
  EXPECT_EQ(megabytes(12'500'000), "12 MB");
}

}  // namespace
}  // namespace tars::app

#include "app/backup/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "../../../support/temp_folder.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  std::filesystem::path path(const char* name) const { return folder_.path() / name; }
  static unsigned mode(const std::filesystem::path& of) {
    struct stat status{};
    EXPECT_EQ(::stat(of.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }
  static std::string content(const std::filesystem::path& of) {
    std::ifstream in(of, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  const TempFolder folder_;
};

TEST_F(FilesTest, WhatIsMadeIsPrivate) {
  ASSERT_TRUE(make_private_folder(path("d")));
  ASSERT_TRUE(write_private_file(path("d/f"), "text"));
  ASSERT_TRUE(copy_private_file(path("d/f"), path("d/g")));
  ASSERT_TRUE(sync_folder(path("d")));
  EXPECT_EQ(mode(path("d")), 0700U);
  EXPECT_EQ(mode(path("d/f")), 0600U);
  EXPECT_EQ(mode(path("d/g")), 0600U);
  EXPECT_EQ(content(path("d/g")), "text");
}

TEST_F(FilesTest, CopiesOfAnyLengthAreWhole) {
  const std::string large(3 * 1024 * 1024 + 5, 'x');
  ASSERT_TRUE(write_private_file(path("f"), large));
  ASSERT_TRUE(copy_private_file(path("f"), path("g")));
  EXPECT_EQ(content(path("g")), large);
}

TEST_F(FilesTest, NothingIsOverwritten) {
  ASSERT_TRUE(write_private_file(path("f"), "mine"));
  EXPECT_FALSE(write_private_file(path("f"), "other"));
  EXPECT_FALSE(copy_private_file("/dev/null", path("f")));
  EXPECT_FALSE(make_private_folder(path("f")));
  EXPECT_EQ(content(path("f")), "mine");
}

TEST_F(FilesTest, ErrorsNameThePath) {
  EXPECT_THAT(write_private_file("/no/such/f", "").error().message, HasSubstr("/no/such/f"));
  EXPECT_THAT(copy_private_file("/no/such/f", path("f")).error().message,
              HasSubstr("/no/such/f cannot be read"));
  EXPECT_THAT(copy_private_file(folder_.path(), path("f")).error().message,
              HasSubstr("cannot be read"));
  EXPECT_THAT(sync_folder("/no/such").error().message, HasSubstr("/no/such"));
  EXPECT_THAT(rename_durably("/no/such", path("f")).error().message, HasSubstr(path("f").string()));
}

}  // namespace
}  // namespace tars::app

#include "base/durable_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "../../support/temp_folder.h"

namespace tars {
namespace {

namespace fs = std::filesystem;

TEST(DurableFile, AFolderThatKnowsNoFlushIsNoError) {
  EXPECT_TRUE(flush_folder("/proc"));  // answers EINVAL, as network folders may
  EXPECT_TRUE(flush_folder(fs::temp_directory_path()));
  EXPECT_FALSE(flush_folder("/no/such"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(DurableFile, SaysWhichFileCannotBeFlushed) {
  const TempFolder folder;
  std::ofstream(folder.path() / "f") << "text";
  EXPECT_TRUE(flush_file(folder.path() / "f"));
  EXPECT_FALSE(flush_file(folder.path() / "none"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(DurableFile, ReplacesWhatWasThere) {
  const TempFolder folder;
  std::ofstream(folder.path() / "old") << "old";
  std::ofstream(folder.path() / "new") << "new";
  EXPECT_TRUE(rename_and_flush(folder.path() / "new", folder.path() / "old"));
  EXPECT_EQ(fs::file_size(folder.path() / "old"), 3U);
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
  EXPECT_FALSE(rename_and_flush(folder.path() / "new", folder.path() / "old"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(DurableFile, ANameWithoutAFolderIsInTheOneAtHand) {
  const TempFolder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  std::ofstream("f") << "text";
  EXPECT_TRUE(rename_and_flush("f", "g"));
  EXPECT_TRUE(fs::exists("g"));
  fs::current_path(before);
}

}  // namespace
}  // namespace tars

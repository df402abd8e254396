#include "store/file_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FilePlaceTest : public testing::Test {
 protected:
  FilePlaceTest() {
    std::filesystem::create_directory(path_.parent_path());
    std::ofstream(path_) << "x";
  }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "data" / "a.db";
};

TEST_F(FilePlaceTest, HoldsWhateverIsWrittenToTheFile) {
  const FilePlace place(path_);
  std::ofstream(path_, std::ios::app) << "more";
  EXPECT_TRUE(place.check());
}

TEST_F(FilePlaceTest, NoticesAFolderThatWasMovedAndOneThatCameBack) {
  const FilePlace place(path_);
  const auto away = folder_.path() / "away";
  std::filesystem::rename(path_.parent_path(), away);
  const auto gone = place.check();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(gone.error().message, AllOf(HasSubstr(path_.string()), HasSubstr("No such file")));
  std::filesystem::rename(away, path_.parent_path());
  EXPECT_TRUE(place.check());
}

TEST_F(FilePlaceTest, NoticesAnotherFileOfThatName) {
  const FilePlace place(path_);
  std::ofstream(folder_.path() / "new") << "x";
  std::filesystem::rename(folder_.path() / "new", path_);
  EXPECT_THAT(place.check().error().message, HasSubstr("another file"));
}

TEST_F(FilePlaceTest, WhatIsNoFileStaysWhereItIs) {
  EXPECT_TRUE(FilePlace().check());
  EXPECT_TRUE(FilePlace(":memory:").check());
}

}  // namespace
}  // namespace tars::store

#include "app/models/prepare_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../../support/temp_folder.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

class PrepareTargetTest : public testing::Test {
 protected:
  PrepareTargetTest() { std::ofstream(in_) << "weights"; }
  std::string refusal(const std::filesystem::path& in, const std::filesystem::path& out,
                      bool replace = false) const {
    const auto checked = check_prepare_target(in, out, replace);
    return checked ? "" : checked.error().message;
  }

  const TempFolder folder_;
  const std::filesystem::path in_ = folder_.path() / "in.gguf";
  const std::filesystem::path out_ = folder_.path() / "out.gguf";
};

TEST_F(PrepareTargetTest, ItsInputIsNeverItsOutput) {
  const auto link = folder_.path() / "link.gguf";
  const auto hard = folder_.path() / "hard.gguf";
  std::filesystem::create_symlink(in_, link);
  std::filesystem::create_hard_link(in_, hard);
  const auto around = folder_.path() / ".." / folder_.path().filename() / "in.gguf";
  for (const bool replace : {false, true}) {
    for (const auto& same : {in_, link, hard, around}) {
      EXPECT_THAT(refusal(in_, same, replace), HasSubstr("would overwrite IN")) << same;
      EXPECT_THAT(refusal(same, in_, replace), HasSubstr("would overwrite IN")) << same;
    }
  }
}

TEST_F(PrepareTargetTest, ItsInputIsNotWhereTheOutputGrows) {
  const auto growing = folder_.path() / "out.gguf.preparing";
  std::filesystem::copy(in_, growing);
  EXPECT_THAT(refusal(growing, out_, true), HasSubstr("would overwrite IN"));
  EXPECT_EQ(refusal(in_, out_), "");
}

TEST_F(PrepareTargetTest, AnotherFileIsReplacedOnlyWhenAsked) {
  EXPECT_EQ(refusal(in_, out_), "");
  std::ofstream(out_) << "mine";
  EXPECT_THAT(refusal(in_, out_), HasSubstr("--force"));
  EXPECT_EQ(refusal(in_, out_, true), "");
  const auto dangling = folder_.path() / "dangling.gguf";
  std::filesystem::create_symlink(folder_.path() / "none", dangling);
  EXPECT_THAT(refusal(in_, dangling), HasSubstr("--force"));
  EXPECT_THAT(refusal(in_, folder_.path(), true), HasSubstr("is a folder"));
  EXPECT_THAT(refusal(in_, "/dev/null", true), HasSubstr("no regular file"));
}

TEST_F(PrepareTargetTest, TheOutputsFolderMustBeThere) {
  EXPECT_THAT(refusal(in_, folder_.path() / "none" / "out.gguf"),
              HasSubstr("there is no folder " + (folder_.path() / "none").string()));
  EXPECT_EQ(refusal(in_, "out.gguf"), "") << "in the working folder";
}

TEST_F(PrepareTargetTest, AMissingInputIsNotItsMatter) {
  EXPECT_EQ(refusal(folder_.path() / "none", folder_.path() / "none"), "");
}

}  // namespace
}  // namespace tars::app

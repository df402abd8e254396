#include "app/find_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "../../support/another_user.h"

namespace tars::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class FindModelTest : public testing::Test {
 protected:
  FindModelTest() {
    std::string pattern = testing::TempDir() + "tars-model-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~FindModelTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path make(const char* name) {
    std::ofstream(folder_ / name) << "x";
    return folder_ / name;
  }

  std::filesystem::path folder_;
  config::Settings settings_;
};

TEST_F(FindModelTest, ANamedFileCounts) {
  settings_.llm.model_path = make("a.gguf");
  settings_.model_candidates = {make("b.gguf")};
  EXPECT_EQ(find_model(settings_).value(), folder_ / "a.gguf");
}

TEST_F(FindModelTest, ANamedFileThatIsMissingIsAnError) {
  settings_.llm.model_path = folder_ / "none.gguf";
  settings_.model_candidates = {make("b.gguf")};
  const auto found = find_model(settings_);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, StartsWith("MODEL_PATH: there is no file "));
  EXPECT_THAT(found.error().message, HasSubstr("set it to a GGUF file"));
}

TEST_F(FindModelTest, AFileBehindAClosedFolderIsNotSaidToBeMissing) {
  std::filesystem::create_directory(folder_ / "closed");
  settings_.llm.model_path = make("closed/a.gguf");
  std::filesystem::permissions(folder_ / "closed", std::filesystem::perms::none);
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  const auto found = [&] {
    const AsAnotherUser nobody;
    return find_model(settings_);
  }();
  std::filesystem::permissions(folder_ / "closed", std::filesystem::perms::owner_all);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("a.gguf cannot be reached (Permission denied)"));
  EXPECT_THAT(found.error().message, HasSubstr("let this user enter"));
}

TEST_F(FindModelTest, AFolderIsNoModel) {
  settings_.llm.model_path = folder_;
  EXPECT_FALSE(find_model(settings_));
}

TEST_F(FindModelTest, TheFirstDefaultThatExistsCounts) {
  settings_.model_candidates = {folder_ / "none.gguf", make("b.gguf"), make("c.gguf")};
  EXPECT_EQ(find_model(settings_).value(), folder_ / "b.gguf");
}

TEST_F(FindModelTest, WithoutAnyThePlacesAreNamed) {
  settings_.model_candidates = {"/no/a.gguf", "/no/b.gguf"};
  EXPECT_THAT(find_model(settings_).error().message,
              HasSubstr("there is no /no/a.gguf and no /no/b.gguf"));
}

}  // namespace
}  // namespace tars::app

#include "llm/llama/prepare_model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "../../../support/temp_folder.h"

namespace tars::llm {
namespace {

TEST(PrepareModel, RefusesAnUnknownType) {
  const auto done = requantize("in.gguf", "out.gguf", "q3_x");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::config_error);
}

TEST(PrepareModel, SaysWhatCannotBeRead) {
  const auto out = std::filesystem::temp_directory_path() / "tars_prepare_none.gguf";
  const auto done = requantize("/nonexistent/in.gguf", out, "q4_0");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::io_error);
  EXPECT_NE(done.error().message.find("/nonexistent/in.gguf"), std::string::npos);
  EXPECT_NE(done.error().message.find("No such file"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(PrepareModel, TellsADamagedModelFromAMissingOne) {
  const TempFolder folder;
  std::ofstream(folder.path() / "in.gguf") << "GGUF and no more";
  const auto done = requantize(folder.path() / "in.gguf", folder.path() / "out.gguf", "q4_0");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("is damaged or truncated"), std::string::npos);
}

TEST(PrepareModel, LeavesAnUnfinishedDownloadOfTheSameNameAlone) {
  const TempFolder folder;
  std::ofstream(folder.path() / "m.gguf.partial") << "half";
  ASSERT_FALSE(requantize("/nonexistent/in.gguf", folder.path() / "m.gguf", "q4_0"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "m.gguf.partial"));
}

}  // namespace
}  // namespace tars::llm

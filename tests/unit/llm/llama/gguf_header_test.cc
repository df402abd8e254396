#include "llm/llama/gguf_header.h"

#include <gguf.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../../support/temp_folder.h"

namespace tars::llm {
namespace {

TEST(GgufHeader, KeysHaveTheirValueWhereTheirTypeIsTheOneAskedFor) {
  const GgufPtr file(gguf_init_empty());
  gguf_set_val_str(file.get(), "text", "abc");
  gguf_set_val_u16(file.get(), "short", 7);
  gguf_set_val_u32(file.get(), "long", 70'000);
  EXPECT_EQ(gguf_string(file.get(), "text"), "abc");
  EXPECT_EQ(gguf_string(file.get(), "short"), std::nullopt);
  EXPECT_EQ(gguf_string(file.get(), "none"), std::nullopt);
  EXPECT_EQ(gguf_uint16(file.get(), "short"), 7U);
  EXPECT_EQ(gguf_uint16(file.get(), "long"), std::nullopt);
  EXPECT_EQ(gguf_uint16(file.get(), "none"), std::nullopt);
  EXPECT_EQ(gguf_uint32(file.get(), "long"), 70'000U);
  EXPECT_EQ(gguf_uint32(file.get(), "short"), std::nullopt);
  EXPECT_EQ(gguf_uint32(file.get(), "none"), std::nullopt);
}

TEST(GgufHeader, OnlyAFileWithOneIsOpened) {
  const TempFolder folder;
  const auto path = folder.path() / "m.gguf";
  EXPECT_EQ(open_gguf(path), nullptr);
  std::ofstream(path) << "GGUF" << std::string(400, '\x7F');
  EXPECT_EQ(open_gguf(path), nullptr);
  const GgufPtr file(gguf_init_empty());
  gguf_set_val_str(file.get(), "general.architecture", "llama");
  ASSERT_TRUE(gguf_write_to_file(file.get(), path.c_str(), true));
  const GgufPtr opened = open_gguf(path);
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(gguf_string(opened.get(), "general.architecture"), "llama");
}

}  // namespace
}  // namespace tars::llm

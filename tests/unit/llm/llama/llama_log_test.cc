#include "llm/llama/llama_log.h"

#include <gguf.h>
#include <gtest/gtest.h>

namespace tars::llm {
namespace {

TEST(LlamaLog, RemembersTheLastErrorAsOneLine) {
  route_llama_log();
  EXPECT_EQ(gguf_init_from_file("/nonexistent/file\xC2\x9B", {.no_alloc = true, .ctx = nullptr}),
            nullptr);
  const std::string error = last_llama_error();
  EXPECT_NE(error.find("/nonexistent/file"), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
  EXPECT_EQ(error.find('\x9B'), std::string::npos) << "it moves a terminal's cursor";
}

}  // namespace
}  // namespace tars::llm

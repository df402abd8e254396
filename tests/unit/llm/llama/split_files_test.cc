#include "llm/llama/split_files.h"

#include <gguf.h>
#include <gmock/gmock.h>

#include "llm/llama/gguf_header.h"

namespace tars::llm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path, int part,
                                            int parts) {
  const GgufPtr file(gguf_init_empty());
  if (parts > 0) {
    gguf_set_val_u16(file.get(), "split.no", static_cast<std::uint16_t>(part));
    gguf_set_val_u16(file.get(), "split.count", static_cast<std::uint16_t>(parts));
  }
  return split_files(file.get(), path);
}

TEST(SplitFiles, OneFileIsThatAlone) {
  EXPECT_THAT(files_of("/m/a.gguf", 0, 0), ElementsAre("/m/a.gguf"));
  EXPECT_THAT(files_of("/m/a.gguf", 0, 1), ElementsAre("/m/a.gguf"));
}

TEST(SplitFiles, TheFirstNamesTheOthers) {
  EXPECT_THAT(files_of("/m/a-00001-of-00003.gguf", 0, 3),
              ElementsAre("/m/a-00001-of-00003.gguf", "/m/a-00002-of-00003.gguf",
                          "/m/a-00003-of-00003.gguf"));
}

TEST(SplitFiles, AnotherPartOrNameHasNone) {
  EXPECT_THAT(files_of("/m/a-00002-of-00003.gguf", 1, 3), IsEmpty());
  EXPECT_THAT(files_of("/m/a.gguf", 0, 3), IsEmpty());
  EXPECT_THAT(files_of("/m/a-00001-of-00002.gguf", 0, 3), IsEmpty());
}

}  // namespace
}  // namespace tars::llm

#include "base/sha256_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../support/temp_folder.h"
#include "base/ids.h"

namespace tars {
namespace {

class Sha256FileTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& content) {
    std::ofstream(folder_.path() / "f", std::ios::binary) << content;
    return folder_.path() / "f";
  }
  const TempFolder folder_;
};

// FIPS 180-4's own example.
TEST_F(Sha256FileTest, HashesAKnownText) {
  EXPECT_EQ(sha256_file(file("abc")).value(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Sha256FileTest, PiecesAndTheWholeAgree) {
  const std::string large(3 * 1024 * 1024 + 17, 'x');
  EXPECT_EQ(sha256_file(file(large)).value(), sha256_hex(large));
  EXPECT_EQ(sha256_file(file("")).value(), sha256_hex(""));
}

TEST_F(Sha256FileTest, SaysWhichFileCannotBeRead) {
  for (const auto& path : {folder_.path() / "none", folder_.path()}) {
    const auto hash = sha256_file(path);
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error().code, ErrorCode::io_error);
    EXPECT_THAT(hash.error().message, testing::HasSubstr(path.string() + " cannot be read: "));
  }
}

}  // namespace
}  // namespace tars

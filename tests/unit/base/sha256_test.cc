#include "base/sha256.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "../../support/temp_folder.h"

namespace tars {
namespace {

// FIPS 180-2, appendix B.1, and the empty message.
TEST(Sha256Test, IsTheStandardOne) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")), sha256_hex("abc"));
}

TEST(Sha256Test, HexHasTwoDigitsForEachByte) {
  const std::array<unsigned char, 3> bytes{0x00, 0x0f, 0xf0};
  EXPECT_EQ(to_hex(bytes), "000ff0");
  EXPECT_EQ(to_hex({}), "");
}

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

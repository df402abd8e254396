#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "../../support/temp_folder.h"

namespace tars {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(Descriptor, ClosesWhatItOwns) {
  int fd = -1;
  {
    const Descriptor owner(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    fd = owner.get();
    EXPECT_TRUE(owner.is_open());
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
  EXPECT_FALSE(Descriptor().is_open());
}

TEST(Descriptor, MovesWithItsOwner) {
  Descriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = first.get();
  Descriptor second(std::move(first));
  EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that is what is tested
  Descriptor third;
  third = std::move(second);
  EXPECT_EQ(third.get(), fd);
  EXPECT_TRUE(is_open(fd));
}

TEST(WriteAll, WritesEverythingOrSaysWhyNot) {
  const TempFolder folder;
  const auto path = folder.path() / "f";
  const std::string large(300'000, 'x');
  {
    const Descriptor out(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE(write_all(out, large));
  }
  std::ifstream in(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), large);
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(write_all(full, "x"));
  EXPECT_EQ(errno, ENOSPC);
}

TEST(ReadPieces, GivesAllOrSaysWhyNot) {
  const TempFolder folder;
  const auto path = folder.path() / "f";
  std::string large(3'000'000, 'x');
  large.back() = 'y';
  std::ofstream(path, std::ios::binary) << large;
  const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string got;
  EXPECT_TRUE(read_pieces(in, [&](std::string_view piece) {
    got += piece;
    return true;
  }));
  EXPECT_EQ(got, large);
  ASSERT_EQ(::lseek(in.get(), 0, SEEK_SET), 0);
  int pieces = 0;
  EXPECT_FALSE(read_pieces(in, [&](std::string_view) { return ++pieces < 2; }));
  EXPECT_EQ(pieces, 2);
  const Descriptor a_folder(::open(folder.path().c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(read_pieces(a_folder, [](std::string_view) { return true; }));
  EXPECT_EQ(errno, EISDIR);
}

}  // namespace
}  // namespace tars

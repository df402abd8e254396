#include "base/read_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "../../support/temp_folder.h"
#include "base/descriptor.h"

namespace tars {
namespace {

using testing::HasSubstr;

class ReadFileTest : public testing::Test {
 protected:
  std::string cause() const {
    const auto text = read_file(path_, 100);
    return text ? "no error" : text.error().message;
  }
  const TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "file";
};

TEST_F(ReadFileTest, ReadsWhatIsThereUpToTheLimit) {
  std::ofstream(path_) << "one\ntwo";
  EXPECT_EQ(read_file(path_, 100).value(), "one\ntwo");
  EXPECT_EQ(read_file(path_, 4).value(), "one\n");
  EXPECT_EQ(read_file("/dev/null", 100).value(), "");
  std::ofstream(path_) << std::string(50'000, 'x');
  EXPECT_EQ(read_file(path_, 100'000).value().size(), 50'000U);
}

TEST_F(ReadFileTest, SaysWhatIsInTheWay) {
  EXPECT_EQ(cause(), "No such file or directory");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(cause(), "it is a folder");
}

TEST_F(ReadFileTest, APipeThatNobodyWritesToIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(cause(), HasSubstr("no regular file"));
}

TEST_F(ReadFileTest, APipeWithAWriterIsReadToItsEnd) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  Descriptor out(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(write_all(out, "late"));
    out = Descriptor();
  });
  EXPECT_EQ(read_file(path_, 100).value(), "late");
  writer.join();
}

TEST_F(ReadFileTest, WhatIsNoFileIsNamed) {
  EXPECT_EQ(other_than_file(path_), "");
  std::ofstream(path_) << "text";
  EXPECT_EQ(other_than_file(path_), "");
  EXPECT_EQ(other_than_file(folder_.path()), "a folder");
  EXPECT_EQ(other_than_file("/dev/null"), "no regular file");
}

// As a shell makes it for <(command).
TEST_F(ReadFileTest, APipeWithoutANameMayBeEmpty) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  const std::string path = "/proc/self/fd/" + std::to_string(ends[0]);
  ASSERT_TRUE(write_all(out, "text"));
  out = Descriptor();
  EXPECT_EQ(read_file(path, 100).value(), "text");
  EXPECT_EQ(read_file(path, 100).value(), "");
}

}  // namespace
}  // namespace tars

#include "cli/answer_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/descriptor.h"

namespace tars::cli {
namespace {

TEST(AnswerStream, WritesAtAFlush) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const Descriptor in(ends[0]);
  const Descriptor out(ends[1]);
  AnswerStream stream(out.get());
  std::array<char, 16> text{};
  stream << "n " << 7 << '\n';
  EXPECT_LT(::read(in.get(), text.data(), text.size()), 0);
  stream << std::flush;
  EXPECT_EQ(::read(in.get(), text.data(), text.size()), 4);
  EXPECT_EQ(std::string(text.data()), "n 7\n");
  stream << "x";
  EXPECT_EQ(stream.finish(), 0);
  EXPECT_EQ(::read(in.get(), text.data(), text.size()), 1);
}

TEST(AnswerStream, KnowsThatNothingArrived) {
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.is_open());
  AnswerStream stream(full.get());
  stream << "lost" << std::endl;
  stream << "too" << std::endl;
  EXPECT_FALSE(stream);
  EXPECT_EQ(stream.finish(), ENOSPC);
  EXPECT_EQ(AnswerStream(-1).finish(), 0) << "nothing was to be written";
}

TEST(AnswerStream, AServersLinesWaitForNoReader) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor in(ends[0]);
  const Descriptor out(ends[1]);
  ASSERT_EQ(::fcntl(out.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string page(4096, 'x');
  while (::write(out.get(), page.data(), page.size()) > 0) {
  }
  ASSERT_EQ(::fcntl(out.get(), F_SETFL, 0), 0);
  AnswerStream stream(out.get(), std::chrono::milliseconds(10));
  stream << "lost" << std::endl;
  EXPECT_EQ(stream.finish(), ETIMEDOUT);
}

TEST(OccupyClosedStreams, NoFileTakesTheNumberOfAnOutput) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    bool good = occupy_closed_streams();
    const Descriptor next(::open("/dev/zero", O_RDWR | O_CLOEXEC));
    good = good && next.get() > STDERR_FILENO;
    AnswerStream stream(STDOUT_FILENO);
    stream << "lost";
    ::_exit(good && stream.finish() == EBADF ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tars::cli

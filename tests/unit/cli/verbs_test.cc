#include "cli/verbs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "../../support/temp_folder.h"

namespace tars::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  Result<void> result;
  std::string out;
  std::string err;
};

// /dev/null as .env, so that no file of the working folder counts.
Outcome outcome(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--env-file", "/dev/null"});
  std::ostringstream out;
  std::ostringstream err;
  Result<void> result = execute(parse_command_line(arguments).value(), out, err);
  return {std::move(result), out.str(), err.str()};
}

TEST(Verbs, CheckShowsOptionsAndWarnings) {
  const Outcome check = outcome({"config", "check", "--port", "9000", "--chunk-size", "64"});
  EXPECT_TRUE(check.result);
  EXPECT_THAT(check.out, HasSubstr("TARS_PORT = 9000  (--tars-port)"));
  EXPECT_THAT(check.err, HasSubstr("warning: CHUNK_SIZE"));
}

TEST(Verbs, CheckFailsOnAnImpossibleValue) {
  const Outcome check = outcome({"config", "check", "--port", "http"});
  ASSERT_FALSE(check.result);
  EXPECT_THAT(check.result.error().message, StartsWith("TARS_PORT: \"http\" (--tars-port)"));
}

TEST(Verbs, CheckFailsWhereAStartWould) {
  for (const auto& [flag, value] : {std::pair{"--tars-data-dir", "/proc/x"},
                                    {"--log-file", "/nonexistent/x"},
                                    {"--tars-host", "[::1]"},
                                    {"--model-path", "/etc/passwd"}}) {
    EXPECT_FALSE(outcome({"config", "check", flag, value}).result) << flag;
  }
}

TEST(Verbs, CheckWarnsOfAFolderThatOthersMayWrite) {
  const TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const Outcome check = outcome({"config", "check", "--tars-data-dir", folder.path().string()});
  EXPECT_TRUE(check.result);
  EXPECT_THAT(check.err, HasSubstr("warning: other users may write"));
}

TEST(Verbs, DocAndEnvWriteTheReference) {
  EXPECT_THAT(outcome({"config", "doc"}).out, StartsWith("# Options\n"));
  EXPECT_THAT(outcome({"config", "env"}).out, HasSubstr("#TARS_PORT=8000\n"));
}

TEST(Verbs, VersionNamesTheProgram) { EXPECT_THAT(outcome({"version"}).out, StartsWith("tars ")); }

TEST(Verbs, ServeEndsBeforeItStartsWhenThereIsNoModel) {
  const Outcome serve = outcome({"serve", "--model-path", "/no/such.gguf"});
  ASSERT_FALSE(serve.result);
  EXPECT_THAT(serve.result.error().message,
              StartsWith("MODEL_PATH: there is no file /no/such.gguf"));
}

TEST(Verbs, RootStartsNothingInAnothersFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const TempFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 65534, 65534), 0);
  const std::string data = folder.path().string();
  const std::string log = (folder.path() / "tars.log").string();
  for (std::vector<std::string> verb : {std::vector<std::string>{"serve"}, {"config", "check"}}) {
    verb.insert(verb.end(), {"--tars-data-dir", data, "--log-file", log});
    const Outcome refused = outcome(verb);
    ASSERT_FALSE(refused.result) << verb.front();
    EXPECT_THAT(refused.result.error().message, HasSubstr("sudo -u 'nobody' env TARS_DATA_DIR="));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Verbs, PrepareNamesAFileThatIsMissing) {
  const Outcome prepare = outcome({"model", "prepare", "/no/such.gguf", "/tmp/out.gguf"});
  ASSERT_FALSE(prepare.result);
  EXPECT_THAT(prepare.result.error().message, HasSubstr("/no/such.gguf"));
}

TEST(Verbs, PrepareLeavesItsInputAndWhatIsThere) {
  const TempFolder folder;
  const std::string in = (folder.path() / "in.gguf").string();
  const std::string out = (folder.path() / "out.gguf").string();
  for (const std::string& path : {in, out}) std::ofstream(path) << path;
  EXPECT_THAT(outcome({"model", "prepare", "--force", in, in}).result.error().message,
              HasSubstr("would overwrite IN"));
  EXPECT_THAT(outcome({"model", "prepare", in, out}).result.error().message, HasSubstr("--force"));
  EXPECT_EQ(std::filesystem::file_size(in), in.size());
  EXPECT_EQ(std::filesystem::file_size(out), out.size());
}

}  // namespace
}  // namespace tars::cli

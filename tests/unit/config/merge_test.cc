#include "config/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "../../support/temp_folder.h"

namespace tars::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Sources sources(std::string dotenv, std::vector<Assignment> environment = {},
                std::vector<Assignment> flags = {}) {
  environment.emplace_back("HOME", "/home/ann");
  return {".env", std::move(dotenv), std::move(environment), std::move(flags)};
}

std::string error_of(const Sources& from) {
  const auto values = Values::merge(from);
  return values ? "no error" : values.error().message;
}

// Not in TMPDIR, which may be for its owner alone.
class SecretFile {
 public:
  explicit SecretFile(std::string_view content)
      : path_("/tmp/tars-merge-test-" + std::to_string(::getpid())) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~SecretFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Merge, ALaterSourceWins) {
  const auto port = [](const Sources& from) {
    return Values::merge(from).value().setting("TARS_PORT");
  };
  EXPECT_EQ(port(sources("TARS_PORT=1")).value, "1");
  EXPECT_EQ(port(sources("TARS_PORT=1")).origin, ".env line 1");
  EXPECT_EQ(port(sources("TARS_PORT=1", {{"TARS_PORT", "2"}})).value, "2");
  EXPECT_EQ(port(sources("TARS_PORT=1", {{"TARS_PORT", "2"}})).origin, "the environment");
  EXPECT_EQ(port(sources("TARS_PORT=1", {{"TARS_PORT", "2"}}, {{"TARS_PORT", "3"}})).value, "3");
  EXPECT_EQ(port(sources("", {}, {{"TARS_PORT", "3"}})).origin, "--tars-port");
}

TEST(Merge, AnEmptyValueCountsAsUnset) {
  EXPECT_EQ(Values::merge(sources("TARS_PORT=1", {{"TARS_PORT", ""}})).value().text("TARS_PORT"),
            "1");
  EXPECT_EQ(Values::merge(sources("TARS_PORT=")).value().text("TARS_PORT"), "8000");
}

TEST(Merge, UnknownNamesAreNamedWithTheNearest) {
  EXPECT_EQ(error_of(sources("\nMODEL_PAHT=x")),
            ".env line 2: there is no option MODEL_PAHT; did you mean MODEL_PATH?");
  EXPECT_THAT(error_of(sources("COMPLETELY_DIFFERENT=1")),
              HasSubstr("`tars config doc` lists them"));
  EXPECT_EQ(error_of(sources("", {}, {{"MODEL_PAHT", "x"}})),
            "there is no option --model-paht; did you mean MODEL_PATH?");
  EXPECT_THAT(error_of(sources("", {{"TARS_PROT", "1"}})),
              AllOf(HasSubstr("TARS_PROT"), HasSubstr("did you mean TARS_PORT?")));
}

TEST(Merge, ABadDotenvLineIsNamed) {
  EXPECT_EQ(error_of(sources("TARS_PORT=1\nwhat?")),
            ".env line 2: not of the form NAME=VALUE; correct that line");
}

TEST(Merge, OtherProgramsVariablesArePassedOver) {
  const Values values = Values::merge(sources("", {{"PATH", "/bin"},
                                                   {"HTTP_PROXY", "http://x"},
                                                   {"TARS_TEST_MODEL", "/m"},
                                                   {"TARS_LLAMA_DIR", "/l"},
                                                   {"TARS_PAGES_DIR", "/p"},
                                                   {"TARS_LLAMA_FLAGS", "-march=native"},
                                                   {"TARS_GPU", "cuda"},
                                                   {"TARS_BUILD_JOBS", "2"},
                                                   {"TARS_PORTABLE", "1"}}))
                            .value();
  EXPECT_TRUE(values.warnings().empty());
}

TEST(Merge, ATypingErrorInTheEnvironmentWarns) {
  const Values values = Values::merge(sources("", {{"JWT_SECRET_KYE", "s3cret"}})).value();
  ASSERT_EQ(values.warnings().size(), 1U);
  EXPECT_THAT(values.warnings()[0], AllOf(HasSubstr("JWT_SECRET_KYE"), HasSubstr("JWT_SECRET_KEY?"),
                                          Not(HasSubstr("s3cret"))));
}

TEST(Merge, ImpossibleValuesNameOptionValueSourceAndForm) {
  EXPECT_EQ(error_of(sources("TARS_PORT=99999")),
            "TARS_PORT: \"99999\" (.env line 1) is not an integer from 0 to 65535");
  EXPECT_EQ(
      error_of(sources("", {{"LOG_LEVEL", "loud\nsecond line"}})),
      "LOG_LEVEL: \"loud second line\" (the environment) is not TRACE, DEBUG, INFO, WARN, WARNING, "
      "ERROR or CRITICAL");
}

TEST(Merge, ASecretIsNeverShown) {
  EXPECT_EQ(
      error_of(sources("", {{"JWT_SECRET_KEY", "tooshort"}})),
      "JWT_SECRET_KEY: the value (the environment) has 8 bytes, not text of 32 to 4096 bytes");
}

TEST(Merge, AliasesMayAgreeButNotContradict) {
  EXPECT_EQ(Values::merge(sources("BACKEND_PORT=7")).value().text("TARS_PORT"), "7");
  EXPECT_EQ(Values::merge(sources("BACKEND_PORT=7\nTARS_PORT=7")).value().text("TARS_PORT"), "7");
  EXPECT_EQ(error_of(sources("BACKEND_PORT=7\nTARS_PORT=8")),
            "TARS_PORT (.env line 2) and its other name BACKEND_PORT (.env line 1) have different "
            "values; remove one of them");
}

TEST(Merge, ChoicesAreSpelledAsInTheTable) {
  EXPECT_EQ(Values::merge(sources("LOG_LEVEL=debug")).value().text("LOG_LEVEL"), "DEBUG");
  EXPECT_TRUE(Values::merge(sources("LOG_LEVEL=info")).value().setting("LOG_LEVEL").is_default);
}

TEST(Merge, ASecretComesFromItsFile) {
  const SecretFile file("\xef\xbb\xbf 0123456789abcdef0123456789abcdef \r\n");
  const Values values = Values::merge(sources("", {{"JWT_SECRET_KEY_FILE", file.path()}})).value();
  EXPECT_EQ(values.text("JWT_SECRET_KEY"), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(values.setting("JWT_SECRET_KEY").origin, file.path() + ", named by the environment");
}

TEST(Merge, ASecretsFileMayLieInTheHomeFolder) {
  const SecretFile file("0123456789abcdef0123456789abcdef");
  const std::filesystem::path path = file.path();
  Sources from;
  from.environment = {{"HOME", path.parent_path().string()},
                      {"JWT_SECRET_KEY_FILE", "~/" + path.filename().string()}};
  EXPECT_EQ(Values::merge(from).value().text("JWT_SECRET_KEY"), "0123456789abcdef0123456789abcdef");
  from.environment.erase(from.environment.begin());
  EXPECT_THAT(error_of(from), HasSubstr("JWT_SECRET_KEY_FILE begins with ~/ but HOME is not set"));
}

TEST(Merge, ASecretsFileThatEveryoneMayReadWarns) {
  using std::filesystem::perms;
  const SecretFile file("0123456789abcdef0123456789abcdef");
  const auto warnings = [&](perms mode) {
    std::filesystem::permissions(file.path(), mode);
    return Values::merge(sources("", {{"JWT_SECRET_KEY_FILE", file.path()}})).value().warnings();
  };
  const perms group = perms::owner_read | perms::owner_write | perms::group_read;
  EXPECT_THAT(warnings(group), testing::IsEmpty());
  EXPECT_THAT(warnings(group | perms::others_read),
              testing::ElementsAre("JWT_SECRET_KEY_FILE: every user may read " + file.path() +
                                   "; chmod o= " + file.path()));
}

TEST(Merge, ADotenvThatEveryUserMayReadWarnsWhereItHoldsASecret) {
  const SecretFile file("as given below");
  std::filesystem::permissions(file.path(), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto warnings = [&](const std::string& text) {
    Sources from = sources(text);
    from.dotenv_path = file.path();
    return Values::merge(from).value().warnings();
  };
  EXPECT_THAT(warnings("TARS_PORT=1"), testing::IsEmpty());
  EXPECT_THAT(warnings("JWT_SECRET_KEY=0123456789abcdef0123456789abcdef"),
              testing::ElementsAre("JWT_SECRET_KEY: every user may read " + file.path() +
                                   ", where it stands; chmod o= " + file.path()));
}

TEST(Merge, ASecretsFileInAFolderForItsOwnerAloneDoesNot) {
  const TempFolder folder;  // mode 0700
  const std::filesystem::path inner = folder.path() / "inner";
  std::filesystem::create_directory(inner);
  const std::string path = inner / "key";
  std::ofstream(path) << "0123456789abcdef0123456789abcdef";
  std::filesystem::permissions(path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto warnings = [&] {
    return Values::merge(sources("", {{"JWT_SECRET_KEY_FILE", path}})).value().warnings();
  };
  EXPECT_THAT(warnings(), testing::IsEmpty());
  // What counts is where a link leads.
  const SecretFile elsewhere("0123456789abcdef0123456789abcdef");
  std::filesystem::permissions(elsewhere.path(), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  std::filesystem::remove(path);
  std::filesystem::create_symlink(elsewhere.path(), path);
  EXPECT_THAT(warnings(), testing::SizeIs(1));
}

// As Docker lays a secret into a container: mode 0444, on a mount that refuses `chmod`.
TEST(Merge, ASecretsFileThatIsMountedReadOnlyDoesNot) {
  const SecretFile file("0123456789abcdef0123456789abcdef");
  std::filesystem::permissions(file.path(), std::filesystem::perms(0444));
  std::optional<std::vector<std::string>> warnings;
  // The thread's mounts are its own and go with it.
  std::thread([&] {
    const std::string name = file.path();
    const char* const path = name.c_str();
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(path, path, nullptr, MS_BIND, nullptr) != 0 ||
        ::mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return;
    }
    warnings =
        Values::merge(sources("", {{"JWT_SECRET_KEY_FILE", file.path()}})).value().warnings();
  }).join();
  if (!warnings) GTEST_SKIP() << "may not mount";
  EXPECT_THAT(*warnings, testing::IsEmpty());
}

TEST(Merge, PathsInAFileCountFromItsFolder) {
  Sources from = sources(
      "MODEL_PATH=m.gguf\nTARS_DATA_DIR=~/d\nLOG_FILE=/var/x.log\nOLLAMA_MODEL=a/b\n"
      "JWT_SECRET_KEY_FILE=no/such\nTLS_KEY_PATH=",
      {{"EMBEDDING_MODEL_PATH", "e.gguf"}});
  from.dotenv_path = "/home/ann/tars/.env";
  EXPECT_THAT(error_of(from), HasSubstr("cannot read /home/ann/tars/no/such"));
  from.environment.emplace_back("JWT_SECRET_KEY", std::string(32, 's'));
  const Values values = Values::merge(from).value();
  EXPECT_EQ(values.path("MODEL_PATH"), "/home/ann/tars/m.gguf");
  EXPECT_EQ(values.path("TARS_DATA_DIR"), "/home/ann/d");
  EXPECT_EQ(values.path("LOG_FILE"), "/var/x.log");
  EXPECT_EQ(values.text("OLLAMA_MODEL"), "a/b");
  EXPECT_FALSE(values.is_set("TLS_KEY_PATH"));
  EXPECT_EQ(values.path("EMBEDDING_MODEL_PATH"), "e.gguf");
}

TEST(Merge, BadSecretFilesAreNamed) {
  const SecretFile empty("\n");
  EXPECT_THAT(error_of(sources("", {{"JWT_SECRET_KEY_FILE", empty.path()}})),
              HasSubstr("is empty"));
  const TempFolder folder;
  const std::string pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of(sources("", {{"JWT_SECRET_KEY_FILE", pipe}})),
              HasSubstr("pipe (it is no regular file"));
  const SecretFile large(std::string(64 * 1024 + 1, 'x'));
  EXPECT_THAT(error_of(sources("", {{"JWT_SECRET_KEY_FILE", large.path()}})),
              HasSubstr("larger than 64 KiB"));
  EXPECT_THAT(error_of(sources("", {{"JWT_SECRET_KEY_FILE", "/no/such/file"}})),
              AllOf(HasSubstr("JWT_SECRET_KEY_FILE: cannot read /no/such/file"),
                    HasSubstr("No such file")));
  EXPECT_THAT(error_of(sources("", {{"JWT_SECRET_KEY_FILE", "/"}})), HasSubstr("cannot read /"));
}

TEST(Merge, ASecretAndItsFileTogetherAreRefused) {
  EXPECT_THAT(error_of(sources(
                  "", {{"AUTH_ENROLLMENT_KEY", "12345678"}, {"AUTH_ENROLLMENT_KEY_FILE", "/x"}})),
              HasSubstr("AUTH_ENROLLMENT_KEY_FILE (the environment) are both set"));
}

TEST(Merge, AHigherSourceCountsUnderEitherName) {
  const auto port = [](const Sources& from) {
    return Values::merge(from).value().text("TARS_PORT");
  };
  EXPECT_EQ(port(sources("BACKEND_PORT=7", {{"TARS_PORT", "8"}})), "8");
  EXPECT_EQ(port(sources("TARS_PORT=7", {{"BACKEND_PORT", "8"}})), "8");
  const std::string secret(40, 's');
  EXPECT_EQ(
      Values::merge(sources("JWT_SECRET_KEY_FILE=/no/such/file", {{"JWT_SECRET_KEY", secret}}))
          .value()
          .text("JWT_SECRET_KEY"),
      secret);
}

TEST(Merge, OnlySecretsHaveFiles) {
  EXPECT_THAT(error_of(sources("TARS_PORT_FILE=/x")), HasSubstr("no option TARS_PORT_FILE"));
}

}  // namespace
}  // namespace tars::config

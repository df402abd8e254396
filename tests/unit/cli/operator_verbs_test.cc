#include "cli/operator_verbs.h"

#include <gguf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "../../support/temp_folder.h"
#include "chat/schema.h"
#include "cli/verbs.h"
#include "config/option.h"
#include "store/database.h"

namespace tars::cli {
namespace {

using testing::HasSubstr;

class OperatorVerbs : public testing::Test {
 protected:
  // What whoever runs the tests has set for a server of their own is not for this one.
  OperatorVerbs() {
    for (const config::Option& option : config::options())
      ::unsetenv(std::string(option.name).c_str());
  }
  // What `tars WORDS…` prints on a data folder of its own, without a server.
  std::string out(std::vector<std::string> words) {
    const Result<void> done = run(std::move(words));
    EXPECT_TRUE(done) << done.error().message;
    return text_.str();
  }
  std::string error(std::vector<std::string> words) {
    const Result<void> done = run(std::move(words));
    return done ? "no error" : done.error().message;
  }
  // As a server's start does.
  void make_conversations() const {
    EXPECT_TRUE(store::Database::open(in_folder("data/chat.db"), store::Durability::process_crash,
                                      chat::schema()));
  }
  std::string notes() const { return notes_.str(); }
  std::string in_folder(const char* name) const { return (folder_.path() / name).string(); }

 private:
  Result<void> run(std::vector<std::string> words) {
    words.insert(words.end(), {"--env-file", "/dev/null", "--tars-data-dir", in_folder("data"),
                               "--tars-cache-dir", in_folder("cache")});
    text_.str("");
    notes_.str("");
    return execute(parse_command_line(words).value(), text_, notes_);
  }
  const TempFolder folder_;
  std::ostringstream text_;
  std::ostringstream notes_;
};

std::string match(const std::string& text, const std::string& pattern) {
  std::smatch found;
  EXPECT_TRUE(std::regex_search(text, found, std::regex(pattern))) << text;
  return found.size() > 1 ? found[1].str() : "";
}

TEST_F(OperatorVerbs, ATokenIsListedAndRevoked) {
  const std::string json = out({"token", "--client-id", "a", "--device-name", "Phone", "--json"});
  EXPECT_THAT(json, HasSubstr("\"token_type\":\"bearer\""));
  const std::string sid = match(json, "\"sid\":\"([^\"]+)\"");
  EXPECT_THAT(out({"token", "--client-id", "b"}), HasSubstr("access_token   ey"));
  EXPECT_THAT(out({"devices", "list"}), testing::AllOf(HasSubstr(sid), HasSubstr("Phone")));
  EXPECT_THAT(out({"devices", "list", "--json", "--client-id", "b"}), HasSubstr("\"b\""));
  EXPECT_EQ(out({"devices", "revoke", sid}), "revoked " + sid + "\n");
  EXPECT_THAT(error({"devices", "revoke", sid}), HasSubstr("no device"));
}

TEST_F(OperatorVerbs, ATokenThatNoServerMadeSaysOnWhichFolder) {
  out({"token", "--client-id", "a"});
  EXPECT_THAT(notes(), HasSubstr("no server has used " + in_folder("data") + " yet"));
  out({"token", "--client-id", "a"});
  EXPECT_THAT(notes(), HasSubstr("no server runs on " + in_folder("data")));
}

TEST_F(OperatorVerbs, ABackupIsRestored) {
  EXPECT_THAT(error({"backup", in_folder("copy")}), HasSubstr("nothing to back up"));
  const std::string sid = match(out({"token", "--client-id", "a", "--json"}), "\"sid\":\"([^\"]+)");
  EXPECT_THAT(error({"backup", in_folder("copy")}), HasSubstr("has no chat.db"));
  make_conversations();
  EXPECT_THAT(out({"backup", in_folder("copy")}),
              testing::AllOf(HasSubstr("auth.db  "), HasSubstr("backed up")));
  out({"devices", "revoke", sid});
  EXPECT_THAT(error({"restore", in_folder("copy")}), HasSubstr("--force"));
  EXPECT_THAT(out({"restore", "--force", in_folder("copy")}), HasSubstr("change JWT_SECRET_KEY"));
  EXPECT_THAT(out({"devices", "list"}), HasSubstr(sid));
}

TEST_F(OperatorVerbs, ABackupWithoutItsSecretSaysSo) {
  const std::string key(32, 'k');
  out({"token", "--client-id", "a", "--jwt-secret-key", key});
  make_conversations();
  EXPECT_THAT(out({"backup", in_folder("copy"), "--jwt-secret-key", key}),
              HasSubstr("not in it: JWT_SECRET_KEY, which is set from outside"));
  EXPECT_THAT(out({"restore", "--force", in_folder("copy")}), HasSubstr("holds no secret"));
  EXPECT_THAT(out({"backup", in_folder("unset")}),
              testing::AllOf(HasSubstr("not in it: jwt_secret, which the folder has not"),
                             testing::Not(HasSubstr("set from outside"))));
}

// The file may be a secret of before.
TEST_F(OperatorVerbs, ASecretFromOutsideIsInNoBackup) {
  out({"token", "--client-id", "a"});
  make_conversations();
  EXPECT_THAT(out({"backup", in_folder("copy"), "--jwt-secret-key", std::string(32, 'k')}),
              testing::AllOf(HasSubstr("jwt_secret  "), HasSubstr("not in it: JWT_SECRET_KEY")));
  EXPECT_THAT(out({"backup", in_folder("own")}), testing::Not(HasSubstr("not in it")));
}

TEST_F(OperatorVerbs, ARestoreNamesWhatItDeletes) {
  out({"token", "--client-id", "a", "--jwt-secret-key", std::string(32, 'k')});
  make_conversations();
  out({"backup", in_folder("copy")});
  out({"token", "--client-id", "a", "--jwt-secret-key", std::string(32, 'k')});
  std::ofstream(in_folder("data/jwt_secret")) << std::string(64, 'a');
  EXPECT_THAT(out({"restore", "--force", in_folder("copy")}),
              testing::EndsWith("deleted, as the backup has none: jwt_secret\n"));
}

TEST_F(OperatorVerbs, ATokenNeedsTheSecretThatTheServerHas) {
  const std::string key(32, 'k');
  out({"token", "--client-id", "a", "--jwt-secret-key", key});
  EXPECT_THAT(error({"token", "--client-id", "a"}), HasSubstr("JWT_SECRET_KEY: "));
  out({"token", "--client-id", "a", "--jwt-secret-key", key});
}

TEST_F(OperatorVerbs, LooksWithoutTheServersSecretAndMakesNone) {
  const std::string key(32, 'k');
  out({"token", "--client-id", "a", "--jwt-secret-key", key});
  EXPECT_THAT(out({"devices", "list"}), HasSubstr("fam_"));
  EXPECT_FALSE(std::filesystem::exists(in_folder("data") + "/jwt_secret"));
  EXPECT_THAT(error({"token", "--client-id", "a"}), HasSubstr("JWT_SECRET_KEY: "));
}

TEST_F(OperatorVerbs, ListsMoreDevicesThanAPageHolds) {
  for (int i = 0; i < 205; ++i) out({"token", "--client-id", "a"});
  const std::string text = out({"devices", "list", "--json"});
  std::size_t families = 0;
  for (std::size_t at = text.find("\"sid\""); at != std::string::npos;
       at = text.find("\"sid\"", at + 1)) {
    ++families;
  }
  EXPECT_EQ(families, 205U);
}

// What a shell makes of "$UNSET".
TEST_F(OperatorVerbs, AnEmptyArgumentIsRefused) {
  EXPECT_THAT(error({"devices", "revoke", ""}), HasSubstr("SID is empty"));
  EXPECT_THAT(error({"backup", ""}), HasSubstr("PATH is empty"));
  EXPECT_THAT(error({"restore", ""}), HasSubstr("PATH is empty"));
  EXPECT_THAT(error({"model", "pull", ""}), HasSubstr("SOURCE is empty"));
}

TEST_F(OperatorVerbs, ModelsAreListedAndPulled) {
  EXPECT_THAT(out({"model", "list"}), HasSubstr("no models"));
  EXPECT_THAT(out({"model", "list", "--json"}),
              ::testing::StartsWith("{\"items\":[],\"device\":\""));
  std::ofstream(in_folder("x.gguf")) << "nonsense";
  EXPECT_THAT(error({"model", "pull", in_folder("x.gguf")}), HasSubstr("no GGUF"));
  gguf_context* const file = gguf_init_empty();
  gguf_set_val_str(file, "general.architecture", "bert");
  ASSERT_TRUE(gguf_write_to_file(file, in_folder("e.gguf").c_str(), true));
  gguf_free(file);
  EXPECT_THAT(out({"model", "pull", in_folder("e.gguf")}),
              HasSubstr("it is an embedding model, and cannot chat"));
}

}  // namespace
}  // namespace tars::cli

#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

Command parsed(std::vector<std::string> arguments) { return parse_command_line(arguments).value(); }

std::string error_of(std::vector<std::string> arguments) {
  const auto command = parse_command_line(arguments);
  return command ? "no error" : command.error().message;
}

TEST(CommandLine, ServeIsTheVerbWhenNoneIsGiven) {
  EXPECT_EQ(parsed({}).verb, Verb::serve);
  EXPECT_EQ(parsed({"serve"}).verb, Verb::serve);
  EXPECT_EQ(parsed({"--port", "9000"}).verb, Verb::serve);
}

TEST(CommandLine, OptionsAreFlagsInKebabCase) {
  EXPECT_THAT(parsed({"--tars-port", "1", "--model-path=/m", "--jwt-secret-key-file", "/s"}).flags,
              UnorderedElementsAre(Pair("TARS_PORT", "1"), Pair("MODEL_PATH", "/m"),
                                   Pair("JWT_SECRET_KEY_FILE", "/s")));
}

TEST(CommandLine, ShortFlagsAndAliases) {
  EXPECT_THAT(parsed({"--port", "1", "--host=::1"}).flags,
              UnorderedElementsAre(Pair("TARS_PORT", "1"), Pair("TARS_HOST", "::1")));
  EXPECT_THAT(parsed({"--backend-port", "1"}).flags, ElementsAre(Pair("BACKEND_PORT", "1")));
}

TEST(CommandLine, OptionsStandBeforeOrAfterTheVerb) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"serve", "--port", "1"}, {"--port", "1", "serve"}}) {
    EXPECT_EQ(parsed(arguments).verb, Verb::serve);
    EXPECT_THAT(parsed(arguments).flags, ElementsAre(Pair("TARS_PORT", "1")));
  }
  EXPECT_THAT(parsed({"config", "check", "--port", "1"}).flags,
              ElementsAre(Pair("TARS_PORT", "1")));
}

TEST(CommandLine, OneVerbAtATime) {
  for (const std::vector<std::string>& two :
       {std::vector<std::string>{"backup", "a", "restore", "b"},
        {"serve", "devices", "list"},
        {"version", "token", "--client-id", "a"},
        {"backup", "a", "devices", "list"}}) {
    EXPECT_THAT(error_of(two), HasSubstr("one verb at a time")) << two.front();
  }
  EXPECT_THAT(error_of({"devices", "list", "model", "list"}), HasSubstr("devices list and model"));
  EXPECT_THAT(error_of({"token", "--client-id", "a", "--client-id", "b"}),
              HasSubstr("--client-id is given twice"));
}

TEST(CommandLine, TheOtherVerbs) {
  EXPECT_EQ(parsed({"config", "check"}).verb, Verb::config_check);
  EXPECT_EQ(parsed({"config", "doc"}).verb, Verb::config_doc);
  EXPECT_EQ(parsed({"config", "env"}).verb, Verb::config_env);
  EXPECT_EQ(parsed({"version"}).verb, Verb::version);
  EXPECT_EQ(parsed({"--version"}).verb, Verb::version);
  const Command prepare = parsed({"model", "prepare", "a", "b"});
  EXPECT_EQ(prepare.verb, Verb::model_prepare);
  EXPECT_EQ(prepare.input, "a");
  EXPECT_EQ(prepare.output, "b");
  EXPECT_EQ(prepare.format, "q8_0");
  EXPECT_EQ(parsed({"model", "prepare", "a", "b", "--format", "q8_0"}).format, "q8_0");
}

TEST(CommandLine, TheOperatorsVerbs) {
  const Command token = parsed({"token", "--client-id", "a", "--device-name=Phone", "--json"});
  EXPECT_EQ(token.verb, Verb::token);
  EXPECT_EQ(token.client_id, "a");
  EXPECT_EQ(token.device_name, "Phone");
  EXPECT_TRUE(token.json);
  EXPECT_EQ(parsed({"devices", "list", "--client-id", "a"}).client_id, "a");
  const Command revoke = parsed({"devices", "revoke", "fam_1", "--tars-data-dir", "/d"});
  EXPECT_EQ(revoke.verb, Verb::devices_revoke);
  EXPECT_EQ(revoke.sid, "fam_1");
  EXPECT_THAT(revoke.flags, ElementsAre(Pair("TARS_DATA_DIR", "/d")));
  EXPECT_EQ(parsed({"model", "list"}).verb, Verb::model_list);
  const Command pull = parsed({"model", "pull", "u", "--sha256", "h", "--name", "n", "--force"});
  EXPECT_EQ(pull.verb, Verb::model_pull);
  EXPECT_EQ(pull.input + pull.sha256 + pull.name, "uhn");
  EXPECT_TRUE(pull.force);
  EXPECT_EQ(parsed({"backup", "to"}).output, "to");
  EXPECT_EQ(parsed({"restore", "from", "--force"}).input, "from");
}

TEST(CommandLine, AVerbExplainsItself) {
  const std::string text = parsed({"model", "pull", "--help"}).text;
  EXPECT_THAT(text, HasSubstr("Usage: tars model pull"));
  EXPECT_THAT(text, HasSubstr("--sha256"));
  EXPECT_THAT(text, testing::Not(HasSubstr("--ws-timeout-seconds")));
  EXPECT_THAT(parsed({"token", "-h"}).text, HasSubstr("Usage: tars token"));
}

TEST(CommandLine, AGroupOfVerbsExplainsItself) {
  const std::string text = parsed({"devices", "--help"}).text;
  EXPECT_THAT(text, HasSubstr("revoke"));
  EXPECT_THAT(text, testing::Not(HasSubstr("--tars-port")));
}

TEST(CommandLine, AnotherEnvFile) {
  EXPECT_EQ(parsed({"--env-file", "/x"}).env_file, "/x");
  EXPECT_EQ(parsed({}).env_file, std::nullopt);
}

TEST(CommandLine, UnknownOptionsNameTheNearest) {
  EXPECT_EQ(error_of({"--tars-prot", "1"}),
            "there is no option --tars-prot (did you mean --tars-port?); see tars --help");
  EXPECT_EQ(error_of({"serve", "--nonsense-at-all"}),
            "there is no option --nonsense-at-all; see tars --help");
  EXPECT_THAT(error_of({"--model-paht=/secret"}),
              testing::AllOf(HasSubstr("--model-path?"), testing::Not(HasSubstr("/secret"))));
}

TEST(CommandLine, UnknownVerbsAndMissingPartsAreOneLine) {
  EXPECT_THAT(error_of({"sevre"}), HasSubstr("\"sevre\""));
  EXPECT_THAT(error_of({"--port"}), HasSubstr("needs one value"));
  EXPECT_THAT(error_of({"--port", "1", "--tars-port", "2"}),
              HasSubstr("--tars-port or --port is given twice"));
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"config"},
                                              {"model"},
                                              {"devices"},
                                              {"devices", "revoke"},
                                              {"token"},
                                              {"restore"},
                                              {"model", "prepare", "a"},
                                              {"config", "x"}}) {
    const std::string message = error_of(bad);
    EXPECT_NE(message, "no error");
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(CommandLine, HelpListsOptionsByGroup) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"serve", "--help"}, {"-h"}}) {
    const Command command = parsed(arguments);
    EXPECT_EQ(command.verb, Verb::help);
    for (const char* part : {"Server", "Tokens", "Model", "--tars-port", "serve", "config"}) {
      EXPECT_THAT(command.text, HasSubstr(part));
    }
  }
}

}  // namespace
}  // namespace tars::cli

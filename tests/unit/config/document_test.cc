#include "config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/dotenv.h"
#include "config/option.h"

namespace tars::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string read(const char* relative) {
  const std::filesystem::path root = TARS_SOURCE_DIR;
  std::ifstream in(root / relative);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Document, TheReferencePageIsWhatTheProgramWrites) {
  EXPECT_EQ(read("docs/reference/options.md"), options_markdown())
      << "run: tars config doc > docs/reference/options.md";
}

TEST(Document, TheExampleFileIsWhatTheProgramWrites) {
  EXPECT_EQ(read(".env.example"), options_dotenv()) << "run: tars config env > .env.example";
}

TEST(Document, EveryOptionIsInEveryText) {
  for (const Option& option : options()) {
    const std::string name(option.name);
    EXPECT_THAT(options_markdown(), HasSubstr("| `" + name + "` |"));
    EXPECT_THAT(options_dotenv(), HasSubstr("\n#" + name + "="));
  }
}

TEST(Document, TheExampleFileWithItsCommentsRemovedIsValid) {
  std::string text;
  std::istringstream lines(options_dotenv());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') && line.size() > 1 && std::isupper(line[1]) != 0) line.erase(0, 1);
    text += line + '\n';
  }
  Sources sources;
  sources.dotenv_path = ".env";
  sources.dotenv_text = text;
  sources.environment = {{"HOME", "/home/ann"}};
  EXPECT_EQ(parse_dotenv(text).value().size(), options().size());
  const Values values = Values::merge(sources).value();
  for (const Option& option : options()) EXPECT_EQ(values.text(option.name), option.initial);
}

TEST(Document, EffectiveOptionsShowValueAndOriginButNoSecret) {
  Sources sources;
  sources.environment = {{"HOME", "/home/ann"},
                         {"JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef"},
                         {"CHROMA_HOST", "http://ann:pass@chroma:8000"}};
  sources.flags = {{"TARS_PORT", "9000"}};
  const std::string text = effective_options(Values::merge(sources).value());
  EXPECT_THAT(text, HasSubstr("TARS_PORT = 9000  (--tars-port)\n"));
  EXPECT_THAT(text, HasSubstr("JWT_SECRET_KEY = [redacted]  (the environment)\n"));
  EXPECT_THAT(text, HasSubstr("CHROMA_HOST = http://[redacted]@chroma:8000"));
  EXPECT_THAT(text, HasSubstr("MODEL_PATH = (unset: models/chat.gguf"));
  EXPECT_THAT(text, Not(HasSubstr("0123456789abcdef")));
  EXPECT_THAT(text, Not(HasSubstr("pass@")));
}

}  // namespace
}  // namespace tars::config

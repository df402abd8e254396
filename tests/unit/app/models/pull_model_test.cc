#include "app/models/pull_model.h"

#include "base/sha256.h"
#include "model_fixture.h"
#include "scripted_server.h"

namespace tars::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PullModelTest : public ModelFixture {
 protected:
  PullModelTest() { write_chat_model(source_); }
  Result<PulledModel> pull(PullRequest request) {
    DownloadOptions options;
    options.pause = 1ms;
    options.tries = 2;
    return pull_model(settings_, request, options, [](const Progress&) {});
  }
  std::string error_of(PullRequest request) {
    const auto pulled = pull(std::move(request));
    return pulled ? "no error" : pulled.error().message;
  }
  std::vector<std::string> left() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(settings_.data_dir / "models")) {
      const std::string name = entry.path().filename().string();
      if (name != ".pull.lock") out.push_back(name);
    }
    return out;
  }
  const std::filesystem::path source_ = folder_.path() / "source.gguf";
};

TEST_F(PullModelTest, BringsAFileUnderItsNameOrAnother) {
  const PulledModel pulled = pull({.source = source_.string()}).value();
  EXPECT_EQ(pulled.path, settings_.data_dir / "models" / "source.gguf");
  EXPECT_EQ(pulled.sha256, sha256_file(source_).value());
  EXPECT_EQ(pulled.summary.architecture, "llama");
  EXPECT_EQ(pull({.source = source_.string(), .name = "chat"})->path.filename(), "chat.gguf");
  EXPECT_THAT(left(), testing::UnorderedElementsAre("source.gguf", "chat.gguf"));
}

TEST_F(PullModelTest, ACopySaysHowFarItIs) {
  std::vector<Progress> told;
  ASSERT_TRUE(pull_model(settings_, {.source = source_.string()}, {},
                         [&](const Progress& progress) { told.push_back(progress); }));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().bytes, std::filesystem::file_size(source_));
  EXPECT_EQ(told.back().total, told.back().bytes);
}

TEST_F(PullModelTest, FetchesOverHttpAndForgetsTheNote) {
  std::ifstream in(source_, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  ScriptedServer server(
      {http("200 OK", "Content-Length: " + std::to_string(bytes.size()) + "\r\n", bytes)});
  EXPECT_EQ(error_of({.source = server.url("/a/my%20model.gguf"),
                      .sha256 = sha256_file(source_).value()}),
            "no error");
  EXPECT_THAT(left(), testing::ElementsAre("my model.gguf"));
}

TEST_F(PullModelTest, ACutWithoutALengthGoesOn) {
  std::ifstream in(source_, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  const std::string tag = "ETag: \"a\"\r\n";
  const std::string half = bytes.substr(0, bytes.size() / 2);
  const std::string range = "Content-Range: bytes " + std::to_string(half.size()) + "-" +
                            std::to_string(bytes.size() - 1) + "/" + std::to_string(bytes.size()) +
                            "\r\n";
  ScriptedServer server({http("200 OK", tag, half),
                         http("206 Partial Content", tag + range, bytes.substr(half.size()))});
  const PullRequest request{.source = server.url(), .sha256 = sha256_file(source_).value()};
  const auto cut = pull(request);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::backend_unavailable);
  EXPECT_THAT(cut.error().message, HasSubstr("the same command goes on"));
  EXPECT_EQ(error_of(request), "no error");
  EXPECT_THAT(left(), testing::ElementsAre("m.gguf"));
}

TEST_F(PullModelTest, AWrongHashKeepsNothing) {
  EXPECT_THAT(error_of({.source = source_.string(), .sha256 = std::string(64, '0')}),
              HasSubstr("sha256 mismatch: expected 000"));
  EXPECT_TRUE(left().empty());
  EXPECT_THAT(error_of({.source = source_.string(), .sha256 = "abc"}), HasSubstr("--sha256"));
}

TEST_F(PullModelTest, WhatIsNoModelKeepsNothing) {
  write_text(source_, "nonsense");
  EXPECT_THAT(error_of({.source = source_.string()}), HasSubstr("no GGUF"));
  EXPECT_TRUE(left().empty());
}

TEST_F(PullModelTest, NothingIsReplacedUnasked) {
  ASSERT_TRUE(pull({.source = source_.string()}));
  EXPECT_THAT(error_of({.source = source_.string()}), HasSubstr("--force"));
  EXPECT_EQ(error_of({.source = source_.string(), .replace = true}), "no error");
  std::string hash = sha256_file(source_).value();
  for (char& c : hash) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(pull({.source = source_.string(), .sha256 = hash})->was_there);
}

TEST_F(PullModelTest, WhatCannotChatIsNotPutWhereTheModelThatAnswersIs) {
  const auto embedder = folder_.path() / "embedder.gguf";
  write_model(embedder, "bert");
  const auto base = folder_.path() / "base.gguf";
  write_model(base);  // without a chat template
  write_chat_model(source_);
  ASSERT_EQ(error_of({.source = source_.string(), .name = "chat"}), "no error");
  EXPECT_THAT(error_of({.source = base.string(), .name = "chat", .replace = true}),
              HasSubstr("(llama) cannot chat: choose another --name"));
  // However the path is spelt that the server takes it from.
  settings_.model_candidates = {settings_.data_dir / "models" / ".." / "models" / "chat.gguf"};
  const std::string refusal =
      error_of({.source = embedder.string(), .name = "chat", .replace = true});
  EXPECT_THAT(refusal, HasSubstr("(bert) only embeds: choose another --name"));
  EXPECT_EQ(sha256_file(settings_.data_dir / "models" / "chat.gguf").value(),
            sha256_file(source_).value());
  EXPECT_THAT(left(), testing::ElementsAre("chat.gguf"));
  EXPECT_EQ(error_of({.source = embedder.string()}), "no error") << "under any other name";
}

TEST_F(PullModelTest, NamesStayInTheFolder) {
  for (const char* bad : {"../x", ".hidden", "a/b", "a\nb", "a\xC2\x9B", ".gguf"}) {
    EXPECT_THAT(error_of({.source = source_.string(), .name = bad}), HasSubstr("--name")) << bad;
  }
  EXPECT_THAT(error_of({.source = source_.string(), .name = "a\x1b[2J"}),
              HasSubstr("\"a [2J.gguf\" is no name"));
  EXPECT_THAT(error_of({.source = "http://127.0.0.1:1/a%2Fb"}), HasSubstr("--name"));
  EXPECT_THAT(error_of({.source = "http://127.0.0.1:1/"}), HasSubstr("--name"));
  EXPECT_THAT(error_of({.source = "ftp://h/x.gguf"}), HasSubstr("http or https"));
}

// A name that was mistyped, say, for that of a download which goes on later.
TEST_F(PullModelTest, AFileThatCannotBeCopiedCostsNoUnfinishedDownload) {
  const auto models = settings_.data_dir / "models";
  write_text(models / "foo.gguf.partial", "half");
  write_text(models / "foo.gguf.partial.from", "note");
  std::filesystem::create_directory(folder_.path() / "foo.gguf");
  EXPECT_THAT(error_of({.source = "/no/such/foo.gguf"}), HasSubstr("No such file"));
  EXPECT_THAT(error_of({.source = (folder_.path() / "foo.gguf").string()}),
              HasSubstr("it is no file"));
  EXPECT_THAT(left(), testing::UnorderedElementsAre("foo.gguf.partial", "foo.gguf.partial.from"));
  EXPECT_EQ(error_of({.source = source_.string(), .name = "foo"}), "no error");
  EXPECT_THAT(left(), testing::ElementsAre("foo.gguf"));
}

TEST_F(PullModelTest, AnUnfinishedDownloadIsNotCopiedOntoItself) {
  const auto models = settings_.data_dir / "models";
  write_text(models / "foo.gguf.partial", "half");
  write_text(models / "foo.gguf.partial.from", "note");
  std::filesystem::create_symlink(models / "foo.gguf.partial", folder_.path() / "link");
  for (const auto& source :
       {models / "foo.gguf.partial", models / "foo.gguf.partial.from", folder_.path() / "link"}) {
    EXPECT_THAT(error_of({.source = source.string(), .name = "foo"}), HasSubstr("--name"));
    EXPECT_THAT(left(), testing::UnorderedElementsAre("foo.gguf.partial", "foo.gguf.partial.from"));
  }
}

TEST_F(PullModelTest, ASourceThatIsNotThereIsNamed) {
  EXPECT_THAT(error_of({.source = "/no/such.gguf"}), HasSubstr("/no/such.gguf cannot be copied"));
}

}  // namespace
}  // namespace tars::app

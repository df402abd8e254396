#include "app/models/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "../../../support/temp_folder.h"
#include "scripted_server.h"

namespace tars::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string whole(const std::string& body, const std::string& headers = "ETag: \"a\"\r\n") {
  return http("200 OK", headers + "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

// The head promises more than comes.
std::string cut(const std::string& body, int promised, const std::string& tag = "\"a\"") {
  return http("200 OK", "ETag: " + tag + "\r\nContent-Length: " + std::to_string(promised) + "\r\n",
              body);
}

std::string part(const std::string& range, const std::string& body) {
  return http("206 Partial Content",
              "ETag: \"a\"\r\nContent-Range: bytes " + range +
                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
              body);
}

class DownloadTest : public testing::Test {
 protected:
  Result<void> get(const std::string& url) {
    DownloadOptions options;
    options.answer_timeout = options.idle_timeout = 5s;
    options.pause = pause_;
    options.tries = 3;
    options.slow_for = slow_for_;
    options.begins_with = begins_with_;
    options.is_checked = checked_;
    options.keep_free = keep_free_;
    return download(net::parse_web_url(url).value(), file_, options,
                    [this](const Progress& progress) { last_ = progress; });
  }
  std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  const TempFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "m.partial";
  Progress last_;
  std::chrono::milliseconds pause_ = 1ms;
  std::chrono::milliseconds slow_for_ = 60s;
  std::string begins_with_;
  bool checked_ = false;
  std::uint64_t keep_free_ = 1;
};

TEST_F(DownloadTest, FetchesAWholeFile) {
  ScriptedServer server({whole("0123456789")});
  const auto done = get(server.url("/m.gguf?x=1"));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content(), "0123456789");
  EXPECT_EQ(last_.bytes, 10U);
  EXPECT_EQ(last_.total, 10U);
  EXPECT_THAT(server.request(0), HasSubstr("GET /m.gguf?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(0), Not(HasSubstr("Range")));
}

TEST_F(DownloadTest, GoesOnAfterACutInTheSameCall) {
  ScriptedServer server({cut("01234", 10), part("5-9/10", "56789")});
  const auto done = get(server.url());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content(), "0123456789");
  EXPECT_THAT(server.request(1), HasSubstr("Range: bytes=5-\r\nIf-Range: \"a\"\r\n"));
}

TEST_F(DownloadTest, GoesOnInALaterCall) {
  std::string url;
  {
    ScriptedServer server({cut("01234", 10), http("503 Busy", "", ""), http("503 Busy", "", "")});
    url = server.url();
    const auto failed = get(url);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::backend_unavailable);
    EXPECT_THAT(failed.error().message, HasSubstr("the same command goes on"));
  }
  EXPECT_EQ(content(), "01234");
  ScriptedServer server({part("5-9/10", "56789")});
  // The port is another, and so is the URL: what is there is not of it.
  const auto other = get(server.url());
  EXPECT_FALSE(other);
  EXPECT_THAT(server.request(0), Not(HasSubstr("Range:")));
}

TEST_F(DownloadTest, AnotherFileAtTheSamePlaceBeginsAnew) {
  ScriptedServer server({cut("01234", 10), whole("abc", "ETag: \"b\"\r\n")});
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "abc");
}

TEST_F(DownloadTest, APageInTheFilesPlaceCostsNothing) {
  begins_with_ = "0123";
  const std::string page = http("200 OK", "Content-Type: text/html\r\n", "<html>log in</html>");
  ScriptedServer server({cut("01234", 10), page, part("5-9/10", "56789")});
  const auto refused = get(server.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::config_error);
  EXPECT_THAT(refused.error().message, HasSubstr("no 0123 file (text/html)"));
  EXPECT_THAT(refused.error().message, HasSubstr("fetched before, 0 MB, is kept"));
  EXPECT_EQ(content(), "01234");
  const auto done = get(server.url());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content(), "0123456789");
  EXPECT_THAT(server.request(2), HasSubstr("Range: bytes=5-\r\nIf-Range: \"a\"\r\n"));
}

TEST_F(DownloadTest, WhatIsOfAnotherAddressStaysUntilThereIsMore) {
  begins_with_ = "0123";
  {
    ScriptedServer first({cut("01234", 10), http("404 Not Found", "", "")});
    EXPECT_FALSE(get(first.url()));
  }
  ScriptedServer server({whole("<html>"), whole("0123abc")});
  EXPECT_FALSE(get(server.url()));
  EXPECT_EQ(content(), "01234");
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "0123abc");
  EXPECT_THAT(server.request(1), Not(HasSubstr("Range")));
}

TEST_F(DownloadTest, ARangeThatDoesNotFitBeginsAnew) {
  ScriptedServer server({cut("01234", 10), part("4-9/10", "456789"), whole("0123456789")});
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "0123456789");
  EXPECT_THAT(server.request(2), Not(HasSubstr("Range")));
}

TEST_F(DownloadTest, WithoutAValidatorTheLengthDecides) {
  const std::string no_tag = "Content-Length: 10\r\n";
  ScriptedServer server(
      {http("200 OK", no_tag, "01234"), part("5-11/12", "5678901"), whole("0123456789ab")});
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "0123456789ab");
  EXPECT_THAT(server.request(1), Not(HasSubstr("If-Range")));
}

// Between two calls the file may have become another one of the same length.
TEST_F(DownloadTest, WithoutAValidatorOnlyAHashLetsALaterCallGoOn) {
  const std::string half = http("200 OK", "Content-Length: 10\r\n", "01234");
  const std::string rest =
      http("206 Partial Content", "Content-Range: bytes 5-9/10\r\nContent-Length: 5\r\n", "56789");
  const std::string no_more = http("503 Service Unavailable", "", "");
  for (const bool checked : {false, true}) {
    checked_ = checked;
    ScriptedServer server({half, no_more, no_more, checked ? rest : whole("abcdefghij", "")});
    const auto interrupted = get(server.url());
    ASSERT_FALSE(interrupted);
    EXPECT_THAT(interrupted.error().message,
                HasSubstr(checked ? "the same command goes on from" : "only with --sha256"));
    EXPECT_EQ(content(), "01234");
    ASSERT_TRUE(get(server.url()));
    EXPECT_EQ(content(), checked ? "0123456789" : "abcdefghij");
  }
}

TEST_F(DownloadTest, AWholeFileThatIsThereAlreadyIsDone) {
  ScriptedServer server({cut("0123456789", 11),
                         http("416 Range Not Satisfiable", "Content-Range: bytes */11\r\n", ""),
                         whole("0123456789a")});
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "0123456789a");
  ScriptedServer again({http("200 OK", "", "no length, until it closes")});
  ASSERT_TRUE(get(again.url()));
  EXPECT_EQ(content(), "no length, until it closes");
}

TEST_F(DownloadTest, FollowsRedirectsButNotForEver) {
  ScriptedServer target({whole("abc")});
  ScriptedServer server({http("302 Found", "Location: " + target.url() + "\r\n", "")});
  ASSERT_TRUE(get(server.url()));
  EXPECT_EQ(content(), "abc");
  const std::string round = http("301 Moved", "Location: /again\r\n", "");
  ScriptedServer circle(std::vector<std::string>(11, round));
  EXPECT_THAT(get(circle.url()).error().message, HasSubstr("circles"));
  ScriptedServer odd({http("302 Found", "Location: ftp://there/m.gguf\r\n", "")});
  EXPECT_THAT(get(odd.url()).error().message,
              HasSubstr(odd.url() + " leads elsewhere, but the address \"ftp://there/m.gguf\""));
}

TEST_F(DownloadTest, ARefusalIsFinal) {
  ScriptedServer server({http("404 Not Found", "", "no")});
  const auto refused = get(server.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::config_error);
  EXPECT_THAT(refused.error().message, HasSubstr("status 404"));
  ScriptedServer closed({http("401 Unauthorized", "", "")});
  EXPECT_THAT(get(closed.url()).error().message, HasSubstr("status 401: the server wants cred"));
}

TEST_F(DownloadTest, NobodyThereIsSaidAfterSomeTries) {
  std::string url;
  {
    ScriptedServer gone({});
    url = gone.url();
  }
  const std::string message = get(url).error().message;
  EXPECT_THAT(message, HasSubstr("no connection to"));
  EXPECT_THAT(message, HasSubstr("nothing has come yet: check the address"));
}

TEST_F(DownloadTest, AServerThatDripsIsGivenUp) {
  slow_for_ = 200ms;
  const std::string head = "ETag: \"a\"\r\nContent-Length: 1000000\r\n";
  DrippingServer server(http("200 OK", head, ""), 5ms);
  const auto given_up = get(server.url());
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::backend_unavailable);
  EXPECT_THAT(given_up.error().message, HasSubstr("too slowly, at less than 1024 bytes a second"));
  EXPECT_THAT(given_up.error().message, HasSubstr("the same command goes on from"));
  EXPECT_GT(content().size(), 0U) << "what came stays";
}

TEST_F(DownloadTest, TriesThatBringNextToNothingAreCounted) {
  std::vector<std::string> answers{cut("0", 1'000'000)};
  for (int i = 1; i < 20; ++i) {
    answers.push_back(
        http("206 Partial Content",
             "ETag: \"a\"\r\nContent-Range: bytes " + std::to_string(i) +
                 "-999999/1000000\r\nContent-Length: " + std::to_string(1'000'000 - i) + "\r\n",
             "x"));
  }
  pause_ = 10ms;
  ScriptedServer server(answers);
  EXPECT_THAT(get(server.url()).error().message, HasSubstr("the same command goes on from"));
  EXPECT_LT(content().size(), 10U);
}

TEST_F(DownloadTest, AFileThatCannotFitIsRefusedAtOnce) {
  ScriptedServer server({http("200 OK", "Content-Length: 4000000000000000\r\n", "x")});
  const auto refused = get(server.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io_error);
  EXPECT_THAT(refused.error().message, HasSubstr("disk full"));
}

TEST_F(DownloadTest, ABodyOfNoLengthLeavesRoomOnTheDisk) {
  ScriptedServer server({http("200 OK", "Connection: close\r\n", "GGUF and on and on")});
  keep_free_ = std::uint64_t{1} << 62;
  const auto refused = get(server.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io_error);
  EXPECT_THAT(refused.error().message, HasSubstr("names no length"));
  EXPECT_THAT(refused.error().message, HasSubstr(file_.string() + " holds the 0 MB that came"));
  ScriptedServer again({http("200 OK", "Connection: close\r\n", "GGUF and on and on")});
  keep_free_ = 1;
  ASSERT_TRUE(get(again.url()));
  EXPECT_EQ(content(), "GGUF and on and on");
}

TEST_F(DownloadTest, AFolderThatCannotBeWrittenIsNamed) {
  const auto refused = download(net::parse_web_url("http://127.0.0.1:9/x").value(),
                                "/no/such/folder/x", {}, [](const Progress&) {});
  EXPECT_THAT(refused.error().message, HasSubstr("/no/such/folder/x cannot be written"));
}

}  // namespace
}  // namespace tars::app

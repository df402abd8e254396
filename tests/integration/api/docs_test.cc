// The pages about the API over real sockets: whole, open to all, and kept by who has them.
#include "base/sha256.h"
#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class DocsTest : public GatewayServer {
 protected:
  static std::string header(const RawResponse& response, const std::string& name) {
    const auto at = response.head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return response.head.substr(begin, response.head.find("\r\n", begin) - begin);
  }
};

TEST_F(DocsTest, PagesAndWhatTheyLoadAreWhole) {
  start();
  for (const char* page : {"/docs", "/redoc", "/asyncapi"}) {
    const RawResponse html = http("GET " + std::string(page));
    ASSERT_EQ(html.status, 200U) << page;
    EXPECT_TRUE(html.has("Content-Security-Policy: default-src 'none'; ")) << html.head;
    int files = 0;
    for (auto at = html.body.find("/assets/"); at != std::string::npos;
         at = html.body.find("/assets/", at + 1)) {
      const std::string path = html.body.substr(at, html.body.find('"', at) - at);
      const RawResponse file = http("GET " + path);
      ASSERT_EQ(file.status, 200U) << path;
      EXPECT_EQ(header(file, "Content-Length"), std::to_string(file.body.size()));
      EXPECT_EQ(header(file, "ETag"), "\"" + path.substr(8, 16) + "\"") << "the hash in the name";
      EXPECT_EQ(sha256_hex(file.body).substr(0, 16), path.substr(8, 16)) << path;
      ++files;
    }
    EXPECT_GE(files, 3) << page;
  }
}

TEST_F(DocsTest, ANewerPageIsAskedForByItsTag) {
  start();
  for (const char* path : {"/docs", "/openapi.json", "/asyncapi.json"}) {
    const std::string line = "GET " + std::string(path);
    const RawResponse first = http(line, "Accept-Encoding: gzip\r\n");
    const RawResponse again =
        http(line, "Accept-Encoding: gzip\r\nIf-None-Match: " + header(first, "ETag") + "\r\n");
    EXPECT_EQ(again.status, 304U) << path;
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(header(again, "ETag"), header(first, "ETag"));
    EXPECT_EQ(header(again, "Content-Length"), "");
  }
}

TEST_F(DocsTest, AllMethodsOfAPathAreThoseOfTheDocument) {
  start();
  const json::object paths = body(http("GET /openapi.json")).at("paths").as_object();
  EXPECT_GE(paths.size(), 18U);
  for (const auto& path : paths) {
    std::string target(path.key());
    if (const auto brace = target.find('{'); brace != target.npos) target.replace(brace, 99, "x");
    std::string allow;
    for (const auto& operation : path.value().as_object()) {
      std::string method(operation.key());
      for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
      allow += method + (method == "GET" ? ", HEAD, " : ", ");
    }
    const RawResponse refused = http("PATCH " + target);
    EXPECT_EQ(refused.status, 405U) << target;
    EXPECT_EQ(header(refused, "Allow"), allow + "OPTIONS") << target;
  }
}

}  // namespace
}  // namespace tars::api::testing

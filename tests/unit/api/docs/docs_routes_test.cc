#include "api/docs/docs_routes.h"

#include "../gateway_fixture.h"

namespace tars::api {
namespace {

class DocsRoutesTest : public testing::GatewayFixture {
 protected:
  // The first /assets/ name in a page.
  std::string first_file(const char* page) {
    const std::string text(ask("GET", page).content());
    const auto at = text.find("/assets/");
    return text.substr(at, text.find('"', at) - at);
  }
};

TEST_F(DocsRoutesTest, PagesComeWithAPolicyThatLetsNothingElseIn) {
  for (const char* path : {"/docs", "/redoc", "/asyncapi"}) {
    const net::HttpResponse page = ask("GET", path);
    EXPECT_EQ(page.status, 200U) << path;
    EXPECT_EQ(header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(header("Cache-Control"), "no-cache");
    EXPECT_EQ(header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(page.content().starts_with("<!doctype html>"));
    const std::string policy = header("Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; ")) << policy;
    EXPECT_EQ(policy.find("unsafe"), policy.npos) << policy;
    EXPECT_EQ(policy.find("http"), policy.npos) << policy;
    EXPECT_EQ(policy.find('*'), policy.npos) << policy;
  }
}

TEST_F(DocsRoutesTest, AnUnchangedPageIsNotSentAgain) {
  ask("GET", "/docs");
  const std::string etag = header("ETag");
  for (const std::string& held : {etag, "\"other\", W/" + etag, std::string("*")}) {
    const net::HttpResponse again = ask("GET", "/docs", {{"If-None-Match", held}});
    EXPECT_EQ(again.status, 304U) << held;
    EXPECT_TRUE(again.content().empty());
    EXPECT_EQ(header("ETag"), etag);
    EXPECT_EQ(header("Cache-Control"), "no-cache");
  }
  for (const char* held : {"\"other\"", "", "x"}) {
    EXPECT_EQ(ask("GET", "/docs", {{"If-None-Match", held}}).status, 200U) << held;
  }
}

TEST_F(DocsRoutesTest, FilesAreCompressedForWhoTakesThat) {
  const std::string path = first_file("/docs");
  const net::HttpResponse plain = ask("GET", path);
  EXPECT_EQ(plain.status, 200U) << path;
  EXPECT_EQ(header("Content-Encoding"), "");
  EXPECT_EQ(header("Vary"), "Accept-Encoding");
  EXPECT_EQ(header("Cache-Control"), "public, max-age=31536000, immutable");
  const std::string tag = header("ETag");
  const net::HttpResponse packed = ask("GET", path, {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(header("Content-Encoding"), "gzip");
  EXPECT_NE(header("ETag"), tag);
  EXPECT_TRUE(packed.content().starts_with("\x1f\x8b"));
  EXPECT_EQ(ask("GET", path, {{"If-None-Match", tag}}).status, 304U);
  EXPECT_EQ(ask("GET", path, {{"If-None-Match", tag}, {"Accept-Encoding", "gzip"}}).status, 200U)
      << "the plain form's tag is not the other's";
}

TEST_F(DocsRoutesTest, OnlySharedFilesAreServed) {
  for (const char* name : {"docs.html", "openapi_base.json", "docs.js", "..", "x"}) {
    EXPECT_EQ(ask("GET", std::string("/assets/") + name).status, 404U) << name;
  }
  EXPECT_EQ(ask("GET", "/assets/").status, 404U);
  EXPECT_EQ(ask("POST", "/docs").status, 405U);
}

TEST_F(DocsRoutesTest, DocumentsAreJsonWithATag) {
  for (const auto& [path, format] :
       {std::pair{"/openapi.json", "openapi"}, std::pair{"/asyncapi.json", "asyncapi"}}) {
    EXPECT_EQ(ask("GET", path, {{"Accept-Encoding", "gzip"}}).status, 200U);
    EXPECT_EQ(header("Content-Type"), "application/json");
    EXPECT_EQ(header("Content-Encoding"), "");
    EXPECT_TRUE(body().contains(format));
    EXPECT_EQ(ask("GET", path, {{"If-None-Match", header("ETag")}}).status, 304U);
    EXPECT_EQ(ask("HEAD", path).status, 200U);
  }
}

TEST_F(DocsRoutesTest, OverTlsTheSocketIsSecureToo) {
  net::HttpRequest over_tls = request("GET", "/asyncapi.json");
  over_tls.secure = true;
  last_ = complete(gateway().handle(over_tls));
  EXPECT_EQ(body().at("servers").at("gateway").at("protocol").as_string(), "wss");
  const std::string tag = header("ETag");
  ask("GET", "/asyncapi.json");
  EXPECT_EQ(body().at("servers").at("gateway").at("protocol").as_string(), "ws");
  EXPECT_NE(header("ETag"), tag);
}

}  // namespace
}  // namespace tars::api

#include "api/docs/asset.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace tars::api {
namespace {

TEST(Asset, PagesAndTextsHaveTheirOwnNames) {
  for (const char* name : {"docs.html", "redoc.html", "asyncapi.html", "openapi_base.json"}) {
    const Asset* found = find_asset(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_FALSE(found->shared);
    EXPECT_FALSE(found->plain.bytes().empty());
  }
  EXPECT_EQ(find_asset("docs.htm"), nullptr);
  EXPECT_EQ(find_asset(""), nullptr);
  EXPECT_THROW(asset("nothing.js"), std::logic_error);
}

TEST(Asset, SharedFilesAreNamedByTheirContent) {
  int shared = 0;
  for (const Asset& file : assets()) {
    EXPECT_EQ(file.hash.size(), 16U) << file.name;
    EXPECT_EQ(file.gzip.bytes().substr(0, 2), "\x1f\x8b") << file.name;
    if (!file.shared) continue;
    ++shared;
    EXPECT_TRUE(file.name.starts_with(std::string(file.hash) + "-")) << file.name;
  }
  EXPECT_GE(shared, 9);
}

// What the pages load is there under the name that they give it, and is no other host's.
TEST(Asset, PagesNameOnlyWhatIsThere) {
  int named = 0;
  for (const char* name : {"docs.html", "redoc.html", "asyncapi.html"}) {
    const std::string_view page = asset(name).plain.bytes();
    EXPECT_EQ(page.find("//"), page.npos) << name << " names another host";
    constexpr std::string_view kPrefix = "/assets/";
    for (auto at = page.find(kPrefix); at != page.npos; at = page.find(kPrefix, at + 1)) {
      const std::string_view rest = page.substr(at + kPrefix.size());
      const Asset* file = find_asset(rest.substr(0, rest.find('"')));
      ASSERT_NE(file, nullptr) << name;
      EXPECT_TRUE(file->shared);
      ++named;
    }
  }
  EXPECT_GE(named, 10);
}

TEST(Asset, RedocLoadsNoForeignLogo) {
  for (const Asset& file : assets()) {
    EXPECT_EQ(file.plain.bytes().find("cdn.redoc"), std::string_view::npos) << file.name;
  }
}

}  // namespace
}  // namespace tars::api

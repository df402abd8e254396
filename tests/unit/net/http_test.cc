#include "net/http.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

TEST(HttpRequest, HeaderIsFoundWithoutCaseAndTheFirstCounts) {
  HttpRequest request;
  request.headers = {{"X-One", "1"}, {"x-one", "2"}, {"Empty", ""}};
  EXPECT_EQ(request.header("x-ONE"), "1");
  EXPECT_EQ(request.header("empty"), "");
  EXPECT_EQ(request.header("x-on"), std::nullopt);
}

TEST(Headers, LinesOfOneNameAreOneList) {
  const Headers headers = {{"Connection", "keep-alive"},
                           {"connection", "x, Upgrade"},
                           {"Accept", "text/html, Application/JSON;q=0.9"}};
  EXPECT_TRUE(header_lists(headers, "Connection", "upgrade"));
  EXPECT_TRUE(header_lists(headers, "Accept", "application/json"));
  EXPECT_FALSE(header_lists(headers, "Accept", "json"));
  EXPECT_FALSE(header_lists(headers, "Upgrade", "x"));
  EXPECT_EQ(header_count(headers, "CONNECTION"), 2U);
  EXPECT_EQ(header_count(headers, "Upgrade"), 0U);
}

TEST(HttpRequest, QueryParameterIsFoundByItsExactName) {
  HttpRequest request;
  request.query = {{"a", "1"}, {"a", "2"}, {"b", ""}};
  EXPECT_EQ(request.query_param("a"), "1");
  EXPECT_EQ(request.query_param("b"), "");
  EXPECT_EQ(request.query_param("A"), std::nullopt);
}

}  // namespace
}  // namespace tars::net

#include "api/http/route_table.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

RouteTable table() {
  RouteTable routes;
  routes.add({"GET", "/a", Access::open, "a", {}});
  routes.add({"POST", "/a", Access::open, "a", {}});
  routes.add({"DELETE", "/a/{id}", Access::open, "a", {}});
  return routes;
}

TEST(RouteTable, MatchesPathAndParameter) {
  const RouteTable routes = table();
  EXPECT_EQ(routes.match("POST", "/a").route, &routes.routes()[1]);
  const auto one = routes.match("DELETE", "/a/x y");
  ASSERT_NE(one.route, nullptr);
  EXPECT_EQ(one.parameter, "x y");
  for (const char* path : {"/", "/a/", "/b", "/a/x/y", ""}) {
    const auto none = routes.match("DELETE", path);
    EXPECT_EQ(none.route, nullptr) << path;
    EXPECT_TRUE(none.allow.empty()) << path;
  }
}

TEST(RouteTable, HeadGoesWhereGetDoes) {
  const RouteTable routes = table();
  EXPECT_EQ(routes.match("HEAD", "/a").route, &routes.routes()[0]);
}

TEST(RouteTable, SaysWhatIsAllowed) {
  const RouteTable routes = table();
  EXPECT_EQ(routes.match("PUT", "/a").allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(routes.match("GET", "/a/1").allow, "DELETE, OPTIONS");
}

}  // namespace
}  // namespace tars::api

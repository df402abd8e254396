// docs/reference/protocol.md says everything that the tables know.
#include <fstream>
#include <sstream>

#include "api/error_table.h"
#include "api/http/problem.h"
#include "api/ws/client_message.h"
#include "api/ws/frames.h"
#include "gateway_fixture.h"

namespace tars::api {
namespace {

using ProtocolReference = testing::GatewayFixture;

TEST_F(ProtocolReference, NamesEveryRouteTypeAndCode) {
  std::ifstream file(TARS_SOURCE_DIR "/docs/reference/protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  ASSERT_FALSE(page.empty());
  const auto has = [&page](std::string_view part) { return page.find(part) != page.npos; };
  for (const Route& route : gateway().routes()) {
    EXPECT_TRUE(has("`" + route.method + " " + route.path + "`")) << route.path;
  }
  for (const std::string_view type : kClientMessageTypes)
    EXPECT_TRUE(has("`" + std::string(type) + "`"));
  for (const std::string_view type : kServerFrameTypes)
    EXPECT_TRUE(has("`" + std::string(type) + "`"));
  for (const ErrorRow& row : error_table()) {
    EXPECT_TRUE(has(row.name)) << row.name;
    EXPECT_TRUE(has(row.ws_code)) << row.ws_code;
  }
  for (const HttpRow& row : http_error_table()) {
    if (row.name == "UNAVAILABLE") continue;  // never answered by HTTP itself
    EXPECT_TRUE(has("| " + std::to_string(row.status) + " |")) << row.status;
    EXPECT_TRUE(has(row.name)) << row.name;
  }
}

}  // namespace
}  // namespace tars::api

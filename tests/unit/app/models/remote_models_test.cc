#include "app/models/remote_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llm/remote/ollama_dialect.h"
#include "scripted_server.h"

namespace tars::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RemoteModelsTest : public testing::Test {
 protected:
  void host(const ScriptedServer& server) {
    options_.hosts.push_back({.host = "127.0.0.1", .port = server.port()});
  }
  Result<std::vector<std::string>> names() {
    return remote_models(options_, *llm::make_ollama_dialect(0));
  }
  llm::RemoteOptions options_;
};

const std::string kList = R"({"models":[{"name":"a:1b"},{"name":"b"}]})";

TEST_F(RemoteModelsTest, AreWhatTheServerLists) {
  ScriptedServer server({http("200 OK", "", kList)});
  host(server);
  EXPECT_THAT(names().value(), ElementsAre("a:1b", "b"));
  EXPECT_THAT(server.request(0), HasSubstr("GET /api/tags"));
}

TEST_F(RemoteModelsTest, TheNextHostIsAskedWhereOneFails) {
  ScriptedServer broken({http("500 Broken", "", "")});
  ScriptedServer server({http("200 OK", "", kList)});
  host(broken);
  host(server);
  EXPECT_THAT(names().value(), ElementsAre("a:1b", "b"));
}

TEST_F(RemoteModelsTest, AreThoseOfAllHosts) {
  ScriptedServer one({http("200 OK", "", kList)});
  ScriptedServer other({http("200 OK", "", R"({"models":[{"name":"b"},{"name":"c"}]})")});
  host(one);
  host(other);
  EXPECT_THAT(names().value(), ElementsAre("a:1b", "b", "c"));
}

TEST_F(RemoteModelsTest, AServerThatRefusesItsNameIsAskedByItsAddress) {
  ScriptedServer server({http("403 Forbidden", "", ""), http("200 OK", "", kList)});
  options_.hosts.push_back({.host = "localhost", .port = server.port()});
  EXPECT_THAT(names().value(), ElementsAre("a:1b", "b"));
  EXPECT_THAT(server.request(0), HasSubstr("Host: localhost:"));
  EXPECT_THAT(server.request(1), HasSubstr("Host: 127.0.0.1:" + std::to_string(server.port())));
}

TEST_F(RemoteModelsTest, TheLastTroubleIsTold) {
  ScriptedServer broken({http("500 Broken", "", "")});
  host(broken);
  EXPECT_THAT(names().error().message, HasSubstr("status 500"));
  options_.hosts.clear();
  ScriptedServer nonsense({http("200 OK", "", "nonsense")});
  host(nonsense);
  EXPECT_FALSE(names());
  options_.hosts.clear();
  EXPECT_THAT(names().error().message, HasSubstr("no server is configured"));
}

}  // namespace
}  // namespace tars::app

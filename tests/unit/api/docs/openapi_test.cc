#include "api/docs/openapi.h"

#include <boost/json/serialize.hpp>

#include "../gateway_fixture.h"
#include "api/error_table.h"
#include "api/http/problem.h"

namespace tars::api {
namespace {

namespace json = boost::json;

json::object document(std::span<const Route> routes) {
  return json::parse(openapi_document(routes, "9.8.7")).as_object();
}

Route route(RouteDocs docs, Access access = Access::open) {
  return {"GET", "/a/{sid}/b-c", access, "a", {}, std::move(docs)};
}
RouteDocs docs() {
  return {.tag = "health", .parameters = {"sid"}, .answers = {{200, "It lives", "Health"}}};
}
json::object operation(const Route& route) {
  return document({&route, 1}).at("paths").at(route.path).at("get").as_object();
}
std::set<std::string> keys(const json::value& object) {
  std::set<std::string> out;
  for (const auto& member : object.as_object()) out.emplace(member.key());
  return out;
}
std::set<std::string> strings(const json::value& array) {
  std::set<std::string> out;
  for (const auto& item : array.as_array()) out.emplace(item.as_string());
  return out;
}

using OpenApi = testing::GatewayFixture;

TEST_F(OpenApi, HasAnOperationForEachRouteButTheSocketAndNoOther) {
  const json::object paths = document(gateway().routes()).at("paths").as_object();
  std::size_t operations = 0;
  for (const auto& path : paths) operations += path.value().as_object().size();
  EXPECT_EQ(operations, gateway().routes().size() - 1);
  EXPECT_FALSE(paths.contains("/ws/chat"));
  std::set<std::string> ids;
  for (const Route& known : gateway().routes()) {
    if (known.path == "/ws/chat") continue;
    std::string method = known.method;
    std::ranges::transform(method, method.begin(), [](char c) { return std::tolower(c); });
    const json::object& one = paths.at(known.path).at(method).as_object();
    EXPECT_EQ(one.at("summary").as_string(), json::string_view(known.summary));
    ids.emplace(one.at("operationId").as_string());
    const auto brace = known.path.find('{');
    if (brace == known.path.npos) continue;
    const std::string name = known.path.substr(brace + 1, known.path.size() - brace - 2);
    const auto wanted = json::value{{"$ref", "#/components/parameters/" + name}};
    const json::array& parameters = one.at("parameters").as_array();
    EXPECT_NE(std::ranges::find(parameters, wanted), parameters.end()) << known.path;
  }
  EXPECT_EQ(ids.size(), operations);
  EXPECT_TRUE(ids.contains("deleteAuthDevicesSid"));
}

TEST_F(OpenApi, NothingInTheBaseIsUnused) {
  const std::string text = openapi_document(gateway().routes(), "1");
  const json::value whole = json::parse(text);
  for (const auto& tag : whole.at("tags").as_array()) {
    const std::string used = "\"tags\":[" + json::serialize(tag.at("name")) + "]";
    EXPECT_NE(text.find(used), text.npos) << used;
  }
  const json::object components = json::parse(text).at("components").as_object();
  for (const char* kind : {"schemas", "parameters", "headers"}) {
    for (const std::string& name : keys(components.at(kind))) {
      const std::string reference = "\"#/components/" + std::string(kind) + "/" + name + "\"";
      EXPECT_NE(text.find(reference), text.npos) << reference;
    }
  }
}

TEST_F(OpenApi, NamesEveryErrorCode) {
  const json::object all = document(gateway().routes());
  const std::string text(all.at("info").at("description").as_string());
  const auto codes = strings(
      all.at("components").at("schemas").at("Problem").at("properties").at("code").at("enum"));
  const auto has = [&](unsigned status, std::string_view name) {
    const auto row = text.find("| " + std::to_string(status) + " | ");
    const auto found = text.find("`" + std::string(name) + "`", row);
    return codes.contains(std::string(name)) && row != text.npos && found < text.find('\n', row);
  };
  for (const ErrorRow& row : error_table()) EXPECT_TRUE(has(row.status, row.name)) << row.name;
  for (const HttpRow& row : http_error_table()) EXPECT_TRUE(has(row.status, row.name)) << row.name;
  EXPECT_EQ(all.at("info").at("version").as_string(), "9.8.7");
  EXPECT_EQ(all.at("openapi").as_string(), "3.1.0");
}

TEST(OpenApiOperation, AnswersWhatTheRouteSays) {
  const json::object one = operation(route(docs()));
  EXPECT_EQ(one.at("operationId").as_string(), "getASidBC");
  EXPECT_TRUE(one.at("security").as_array().empty());
  EXPECT_EQ(strings(one.at("tags")), std::set<std::string>{"health"});
  EXPECT_FALSE(one.contains("requestBody"));
  EXPECT_EQ(keys(one.at("responses")),
            (std::set<std::string>{"200", "400", "403", "408", "413", "431", "500"}));
  const json::object& well = one.at("responses").at("200").as_object();
  EXPECT_EQ(well.at("description").as_string(), "It lives");
  const json::object& content = well.at("content").at("application/json").as_object();
  EXPECT_EQ(content.at("schema").at("$ref").as_string(), "#/components/schemas/Health");
  EXPECT_EQ(content.at("examples").at("example_1").at("value").at("status").as_string(), "healthy");
}

TEST(OpenApiOperation, ABodyAndABearerBringTheirErrors) {
  RouteDocs with_body = docs();
  with_body.request = "TokenRequest";
  with_body.errors = {ErrorCode::rate_limited};
  const json::object one = operation(route(std::move(with_body), Access::bearer));
  EXPECT_EQ(keys(one.at("responses")),
            (std::set<std::string>{"200", "400", "401", "403", "408", "413", "415", "422", "429",
                                   "431", "500", "503"}));
  const json::object& unauthorized = one.at("responses").at("401").as_object();
  EXPECT_TRUE(unauthorized.at("headers").as_object().contains("WWW-Authenticate"));
  const json::object& problem =
      unauthorized.at("content").at("application/problem+json").as_object();
  EXPECT_EQ(strings(problem.at("schema").at("properties").at("code").at("enum")),
            (std::set<std::string>{"UNAUTHORIZED", "INVALID_TOKEN", "TOKEN_REVOKED"}));
  EXPECT_EQ(keys(problem.at("examples")),
            (std::set<std::string>{"UNAUTHORIZED", "INVALID_TOKEN", "TOKEN_REVOKED"}));
  const json::object& bad = one.at("responses").at("422").as_object();
  EXPECT_TRUE(bad.at("content")
                  .at("application/problem+json")
                  .at("examples")
                  .at("INVALID_JSON")
                  .at("value")
                  .at("errors")
                  .at(0)
                  .as_object()
                  .contains("field"));
  EXPECT_TRUE(one.at("responses").at("429").at("headers").as_object().contains("Retry-After"));
  EXPECT_TRUE(one.at("requestBody").at("required").as_bool());
  EXPECT_TRUE(one.at("requestBody").at("content").as_object().contains("application/json"));
}

TEST(OpenApiOperation, SaysWhoMayCall) {
  const json::array bearer = {json::object{{"bearer", json::array()}}};
  const json::array either = {json::object(), json::object{{"bearer", json::array()}}};
  EXPECT_EQ(operation(route(docs(), Access::bearer)).at("security").as_array(), bearer);
  EXPECT_EQ(operation(route(docs(), Access::examined)).at("security").as_array(), either);
  EXPECT_EQ(operation(route(docs(), Access::optional)).at("security").as_array(), either);
  const json::object examined = operation(route(docs(), Access::examined));
  EXPECT_TRUE(examined.at("responses").as_object().contains("401"));
}

TEST(OpenApiOperation, AnIncompleteRouteIsAFault) {
  EXPECT_THROW(operation(route({})), std::logic_error);
  RouteDocs untagged = docs();
  untagged.tag = {};
  EXPECT_THROW(operation(route(untagged)), std::logic_error);
  RouteDocs unanswered = docs();
  unanswered.answers.clear();
  EXPECT_THROW(operation(route(unanswered)), std::logic_error);
  RouteDocs unknown = docs();
  unknown.answers[0].schema = "Nothing";
  EXPECT_THROW(operation(route(unknown)), std::logic_error);
  unknown = docs();
  unknown.parameters = {"nothing"};
  EXPECT_THROW(operation(route(unknown)), std::logic_error);
  Route nameless = route(docs());
  nameless.summary.clear();
  EXPECT_THROW(operation(nameless), std::logic_error);
}

}  // namespace
}  // namespace tars::api

// docs/reference/protocol.md says everything that the tables know.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "api/docs/asset.h"
#include "api/error_table.h"
#include "api/http/problem.h"
#include "api/ws/client_message.h"
#include "api/ws/frames.h"
#include "gateway_fixture.h"

namespace tars::api {
namespace {

class ProtocolReference : public testing::GatewayFixture {
 protected:
  static std::string read_page() {
    std::ifstream file(TARS_SOURCE_DIR "/docs/reference/protocol.md");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // The two columns of the table below `head`.
  static std::vector<std::pair<std::string, std::string>> table(const std::string& head) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::istringstream page(read_page());
    std::string line;
    while (std::getline(page, line) && line != head) {
    }
    std::getline(page, line);  // |---|---|
    while (std::getline(page, line) && line.starts_with("| ")) {
      const std::size_t bar = line.find(" | ");
      rows.emplace_back(line.substr(2, bar - 2), line.substr(bar + 3, line.size() - bar - 5));
    }
    return rows;
  }
  static std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t comma = std::min(text.find(", ", at), text.size());
      parts.push_back(text.substr(at, comma - at));
      at = comma + 2;
    }
    return parts;
  }
};

TEST_F(ProtocolReference, TellsEachErrorsStatus) {
  std::set<std::pair<std::string, std::string>> known;
  for (const ErrorRow& row : error_table()) known.emplace(std::to_string(row.status), row.name);
  for (const HttpRow& row : http_error_table()) {
    known.emplace(std::to_string(row.status), row.name);
  }
  std::set<std::pair<std::string, std::string>> told;
  for (const auto& [status, codes] : table("| status | `code` |")) {
    for (const std::string& code : split(codes.substr(0, codes.find(':')))) {
      told.emplace(status, code);
    }
  }
  EXPECT_EQ(told, known);
}

TEST_F(ProtocolReference, TellsEachCodeOfAFrame) {
  const std::string page = read_page();
  const std::string begin = "`code` of an `error`: ";
  const std::size_t at = page.find(begin);
  ASSERT_NE(at, page.npos);
  std::string list = page.substr(at + begin.size());
  list.resize(list.find('.'));
  std::replace(list.begin(), list.end(), '\n', ' ');
  std::set<std::string> known;
  for (const ErrorRow& row : error_table()) known.emplace(row.ws_code);
  const auto told = split(list);
  EXPECT_EQ(std::set<std::string>(told.begin(), told.end()), known);
}

TEST_F(ProtocolReference, TellsTheSameClosesAsTheAsyncApiPage) {
  std::map<std::string, std::set<std::string>> told;
  for (const auto& [codes, text] : table("| code | reason |")) {
    for (const std::string& code : split(codes)) {
      std::set<std::string>& reasons = told[code];
      for (std::size_t at = text.find('`'); at != text.npos; at = text.find('`', at + 1)) {
        const std::size_t end = text.find('`', at + 1);
        reasons.insert(text.substr(at + 1, end - at - 1));
        at = end;
      }
    }
  }
  std::map<std::string, std::set<std::string>> known;
  const auto page = boost::json::parse(asset("asyncapi_base.json").plain.bytes());
  for (const auto& close : page.at_pointer("/channels/chat/x-close-codes").as_array()) {
    std::set<std::string>& reasons = known[std::to_string(close.at("code").as_int64())];
    for (const auto& reason : close.at("reasons").as_array()) {
      reasons.emplace(reason.as_string());
    }
  }
  EXPECT_EQ(told, known);
}

TEST_F(ProtocolReference, NamesEveryRouteAndType) {
  const std::string page = read_page();
  ASSERT_FALSE(page.empty());
  const auto has = [&page](std::string_view part) { return page.find(part) != page.npos; };
  for (const Route& route : gateway().routes()) {
    EXPECT_TRUE(has("`" + route.method + " " + route.path + "`")) << route.path;
  }
  for (const std::string_view type : kClientMessageTypes)
    EXPECT_TRUE(has("`" + std::string(type) + "`"));
  for (const std::string_view type : kServerFrameTypes)
    EXPECT_TRUE(has("`" + std::string(type) + "`"));
}

}  // namespace
}  // namespace tars::api

#include "api/docs/asyncapi.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>

#include "api/docs/asset.h"
#include "api/error_table.h"
#include "api/ws/client_message.h"
#include "api/ws/frames.h"

namespace tars::api {
namespace {

namespace json = boost::json;

json::string_view key(std::string_view text) { return {text.data(), text.size()}; }

json::object& at(json::object& in, std::initializer_list<std::string_view> path) {
  json::object* out = &in;
  for (const std::string_view name : path) out = &out->at(key(name)).as_object();
  return *out;
}

json::object reference(const std::string& to) { return {{"$ref", to}}; }

// The messages of one direction, as a message of the channel and of one operation. `action` is the
// server's.
void add_operation(json::object& document, std::string_view id, std::string_view action,
                   std::string_view summary, std::string_view prefix,
                   std::span<const std::string_view> types) {
  json::object& known = at(document, {"components", "messages"});
  json::object& channel = at(document, {"channels", "chat", "messages"});
  json::array messages;
  for (const std::string_view type : types) {
    const std::string name = std::string(prefix) + std::string(type);
    if (!known.contains(name)) throw std::logic_error("asyncapi_base.json lacks " + name);
    at(known, {name})["name"] = key(type);
    channel[name] = reference("#/components/messages/" + name);
    messages.push_back(reference("#/channels/chat/messages/" + name));
  }
  at(document, {"operations"})[key(id)] = {{"action", key(action)},
                                           {"channel", reference("#/channels/chat")},
                                           {"summary", key(summary)},
                                           {"messages", std::move(messages)}};
}

// The codes that an `error` frame can have.
json::array frame_codes() {
  json::array codes;
  for (const ErrorRow& row : error_table()) {
    const json::value code(key(row.ws_code));
    if (std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
  }
  return codes;
}

}  // namespace

std::string asyncapi_document(const Options& options, bool secure) {
  json::object document = json::parse(key(asset("asyncapi_base.json").plain.bytes())).as_object();
  at(document, {"info"})["version"] = options.version;
  at(document, {"servers", "gateway"})["protocol"] = secure ? "wss" : "ws";
  add_operation(document, "fromClient", "receive", "What a client may send", "client_",
                kClientMessageTypes);
  add_operation(document, "fromServer", "send", "What the server sends", "server_",
                kServerFrameTypes);
  json::object& messages = at(document, {"components", "messages"});
  at(messages, {"client_chat", "payload", "properties", "max_tokens"})["maximum"] =
      options.max_tokens;
  at(messages, {"server_error", "payload", "properties", "code"})["enum"] = frame_codes();
  return json::serialize(document);
}

}  // namespace tars::api

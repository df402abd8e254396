// What a client says on /ws/chat: bytes in, typed values out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "chat/engine.h"
#include "llm/backend.h"

namespace tars::api {

struct ChatMessage {
  std::string content;
  std::optional<std::string> conversation_id;
  std::optional<std::string> message_id;
  std::string model;  // empty = default
  llm::Sampling sampling;
  bool finish_on_disconnect = false;
};
struct CancelMessage {
  chat::CancelTarget target;
};
struct ResumeMessage {
  chat::RunName run;
  std::size_t offset = 0;  // tokens already held
};
struct PingMessage {};
struct PongMessage {};

using ClientMessage =
    std::variant<ChatMessage, CancelMessage, ResumeMessage, PingMessage, PongMessage>;

// The ids that an `error` frame repeats, as far as they could be read.
struct MessageIds {
  std::optional<std::string> conversation_id;
  std::optional<std::string> run_id;
  std::optional<std::string> message_id;
};

struct MessageLimits {
  llm::Sampling defaults;
  int max_tokens = 2048;
};

struct ParsedMessage {
  Result<ClientMessage> message;
  MessageIds ids;
};

// The types a client may send, for the reference and its test.
inline constexpr std::string_view kClientMessageTypes[] = {"chat", "cancel", "resume", "ping",
                                                           "pong"};

// One text message. invalid_json, or invalid_message that names each bad field. Never throws on bad
// input.
ParsedMessage parse_client_message(std::string_view bytes, const MessageLimits& limits);

}  // namespace tars::api

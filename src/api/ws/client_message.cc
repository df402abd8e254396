#include "api/ws/client_message.h"

#include <limits>

#include "api/json_reader.h"
#include "base/utf8.h"

namespace tars::api {
namespace {

constexpr FieldReader::Length kId{1, 128};

// Ids stand in paths, logs and lists.
std::optional<std::string> read_id(FieldReader& fields, std::string_view name) {
  std::optional<std::string> id = fields.string(name, kId);
  if (id && has_control_characters(*id)) {
    fields.fail(name, "must be without control characters");
    return std::nullopt;
  }
  return id;
}

// The retrieval fields are checked, so that a client learns of a bad one now; retrieval itself is
// not there yet and says so.
void read_retrieval(FieldReader& fields) {
  const auto use_rag = fields.boolean("use_rag");
  fields.integer("rag_top_k", 1, 20);
  fields.number("rag_threshold", {0, 1});
  fields.has_object("rag_filters");
  if (use_rag.value_or(false)) {
    fields.fail("use_rag", "must be false: this version does not answer from documents");
  }
}

void read_sampling(FieldReader& fields, const MessageLimits& limits, llm::Sampling& sampling) {
  constexpr int kMaxTopK = 1'000'000;
  constexpr std::int64_t kMaxSeed = std::numeric_limits<std::uint32_t>::max();
  if (const auto v = fields.number("temperature", {0, 2})) {
    sampling.temperature = static_cast<float>(*v);
  }
  if (const auto v = fields.number("top_p", {0, 1})) sampling.top_p = static_cast<float>(*v);
  if (const auto v = fields.integer("top_k", 0, kMaxTopK)) sampling.top_k = static_cast<int>(*v);
  if (const auto v = fields.integer("max_tokens", 1, limits.max_tokens)) {
    sampling.max_tokens = static_cast<int>(*v);
  }
  if (const auto v = fields.integer("seed", 0, kMaxSeed))
    sampling.seed = static_cast<std::uint32_t>(*v);
  auto stop = fields.strings("stop", 4, {1, 256});
  if (!stop.empty()) sampling.stop = std::move(stop);
}

ClientMessage read_chat(FieldReader& fields, const MessageLimits& limits) {
  ChatMessage chat;
  chat.sampling = limits.defaults;
  chat.sampling.max_tokens = std::min(chat.sampling.max_tokens, limits.max_tokens);
  chat.content = fields.required_string("content", {1, 32'000});
  chat.conversation_id = read_id(fields, "conversation_id");
  chat.message_id = read_id(fields, "message_id");
  chat.model = fields.string("model", {1, 256}).value_or("");
  read_sampling(fields, limits, chat.sampling);
  if (const auto how = fields.string("on_disconnect", {0, 32})) {
    chat.finish_on_disconnect = *how == "finish";
    if (*how != "finish" && *how != "cancel")
      fields.fail("on_disconnect", "must be cancel or finish");
  }
  read_retrieval(fields);
  return chat;
}

ClientMessage read_cancel(FieldReader& fields) {
  CancelMessage cancel;
  chat::CancelTarget& target = cancel.target;
  target.run_id = read_id(fields, "run_id");
  target.message_id = read_id(fields, "message_id");
  target.conversation_id = read_id(fields, "conversation_id");
  // Of several the narrowest counts, so that a client may send all it knows.
  if (target.run_id) target.message_id.reset();
  if (target.run_id || target.message_id) target.conversation_id.reset();
  if (fields.is_well() && !target.run_id && !target.message_id && !target.conversation_id) {
    fields.fail("run_id", "is required, or message_id or conversation_id");
  }
  return cancel;
}

ClientMessage read_resume(FieldReader& fields) {
  ResumeMessage resume;
  resume.run.run_id = read_id(fields, "run_id");
  resume.run.message_id = read_id(fields, "message_id");
  if (resume.run.run_id) resume.run.message_id.reset();
  if (fields.is_well() && !resume.run.run_id && !resume.run.message_id) {
    fields.fail("run_id", "is required, or message_id");
  }
  resume.offset = static_cast<std::size_t>(
      fields.integer("offset", 0, std::numeric_limits<std::int32_t>::max()).value_or(0));
  return resume;
}

Result<ClientMessage> read_message(FieldReader& fields, const MessageLimits& limits) {
  const std::string type = fields.required_string("type", {0, 64});
  ClientMessage message = PongMessage{};
  if (type == "chat") {
    message = read_chat(fields, limits);
  } else if (type == "cancel") {
    message = read_cancel(fields);
  } else if (type == "resume") {
    message = read_resume(fields);
  } else if (type == "ping") {
    message = PingMessage{};
  } else if (type != "pong" && !type.empty()) {
    fields.fail("type", "is unknown: send chat, cancel, resume, ping or pong");
  }
  if (auto error = fields.error(ErrorCode::invalid_message)) return std::move(*error);
  if (type.empty()) return make_error(ErrorCode::invalid_message, "type is required");
  return message;
}

}  // namespace

ParsedMessage parse_client_message(std::string_view bytes, const MessageLimits& limits) {
  JsonDocument document;
  if (const auto parsed = document.parse(bytes); !parsed) return {parsed.error(), {}};
  FieldReader fields(document.object());
  MessageIds ids{fields.peek("conversation_id"), fields.peek("run_id"), fields.peek("message_id")};
  // A chat names no run: one in the answer would say that it ran.
  if (fields.peek("type") == "chat") ids.run_id.reset();
  return {read_message(fields, limits), std::move(ids)};
}

}  // namespace tars::api

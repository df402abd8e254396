#include "api/ws/frames.h"

#include "api/error_table.h"
#include "api/json_writer.h"
#include "base/utf8.h"

namespace tars::api {
namespace {

// Opens with the type, closes with the timestamp that every frame carries.
template <class Fill>
std::string frame(std::string_view type, WallTime now, Fill fill, std::size_t expected = 256) {
  std::string out;
  out.reserve(expected);
  JsonWriter json(out);
  json.begin_object();
  json.field("type", type);
  fill(json);
  json.field("timestamp", format_rfc3339(now));
  json.end_object();
  return out;
}

void optional_field(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) json.field(key, value);
}

std::string_view level_name(SystemLevel level) {
  switch (level) {
    case SystemLevel::info: return "info";
    case SystemLevel::warning: return "warning";
    case SystemLevel::error: return "error";
  }
  return "info";
}

}  // namespace

std::string connection_ack_frame(std::string_view client_id, std::string_view session_id,
                                 std::chrono::milliseconds heartbeat, std::string_view version,
                                 WallTime now) {
  return frame("connection_ack", now, [&](JsonWriter& json) {
    json.field("client_id", client_id);
    json.field("session_id", session_id);
    json.field("heartbeat_interval_s", static_cast<double>(heartbeat.count()) / 1000);
    json.field("server_version", version);
  });
}

std::string queued_frame(const chat::RunInfo& run, int position, WallTime now) {
  return frame("queued", now, [&](JsonWriter& json) {
    json.field("run_id", run.id);
    json.field("conversation_id", run.conversation_id);
    json.field("message_id", run.message_id);
    json.field("position", position);
  });
}

TokenFrames::TokenFrames(const chat::RunInfo& run) {
  JsonWriter json(run_);
  json.field("conversation_id", run.conversation_id);
  json.field("run_id", run.id);
}

std::string TokenFrames::render(const chat::Slice& slice, WallTime now) const {
  std::string out;
  render(slice, now, out);
  return out;
}

void TokenFrames::render(const chat::Slice& slice, WallTime now, std::string& out) const {
  out = R"({"type":"token","token":)";
  JsonWriter::append_string(out, slice.text);
  out += ',';
  out += run_;
  out += R"(,"offset":)";
  JsonWriter::append_number(out, slice.first);
  if (slice.count > 1) {
    out += R"(,"count":)";
    JsonWriter::append_number(out, slice.count);
  }
  out += R"(,"timestamp":")";
  append_rfc3339(out, now);
  out += R"("})";
}

std::string complete_frame(const chat::RunInfo& run, const chat::Outcome& outcome,
                           std::size_t tokens, WallTime now) {
  const auto fill = [&](JsonWriter& json) {
    json.field("conversation_id", run.conversation_id);
    json.field("total_tokens", tokens);
    json.field("latency_ms", outcome.latency_ms);
    json.field("run_id", run.id);
    json.field("message_id", run.message_id);
    json.field("finish_reason", outcome.finish_reason);
    json.field("prompt_tokens", outcome.prompt_tokens);
    json.field("cached_tokens", outcome.cached_tokens);
    json.field("ttft_ms", outcome.ttft_ms);
    json.field("tokens_per_second", outcome.tokens_per_second);
    json.field("model", run.model);
  };
  return frame("complete", now, fill, 448);
}

std::string error_frame(const Error& error, const MessageIds& ids, WallTime now) {
  const ErrorRow& row = error_row(error.code);
  return frame("error", now, [&](JsonWriter& json) {
    json.field("error", error.message.empty() ? std::string(row.title)
                                              : replace_invalid_utf8(error.message));
    json.field("code", row.ws_code);
    optional_field(json, "conversation_id", ids.conversation_id.value_or(""));
    optional_field(json, "run_id", ids.run_id.value_or(""));
    optional_field(json, "message_id", ids.message_id.value_or(""));
    if (error.retry_after) json.field("retry_after_s", error.retry_after->count());
  });
}

std::string failure_frame(const chat::RunInfo& run, const chat::Outcome& outcome, WallTime now) {
  Error error =
      make_error(ErrorCode::generation_error, "The answer could not be finished; try again");
  if (outcome.status == chat::RunStatus::interrupted) {
    error = make_error(ErrorCode::history_lost, "The server stopped during this answer; ask again");
  }
  return error_frame(outcome.error.value_or(error), {run.conversation_id, run.id, run.message_id},
                     now);
}

std::string ping_frame(WallTime now) {
  return frame("ping", now, [](JsonWriter&) {}, 64);
}

std::string pong_frame(WallTime now) {
  return frame("pong", now, [](JsonWriter&) {}, 64);
}

std::string system_frame(SystemLevel level, std::string_view message, WallTime now) {
  return frame("system", now, [&](JsonWriter& json) {
    json.field("message", message);
    json.field("level", level_name(level));
  });
}

}  // namespace tars::api

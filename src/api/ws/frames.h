// What the server says on /ws/chat: each frame is a function of its values.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "api/ws/client_message.h"
#include "base/clock.h"
#include "base/error.h"
#include "chat/run.h"

namespace tars::api {

// Every type of frame, for the reference and its test.
inline constexpr std::string_view kServerFrameTypes[] = {
    "connection_ack", "queued", "token", "complete", "error", "ping", "pong", "system"};

enum class SystemLevel { info, warning, error };

std::string connection_ack_frame(std::string_view client_id, std::string_view session_id,
                                 std::chrono::milliseconds heartbeat, std::string_view version,
                                 WallTime now);
std::string queued_frame(const chat::RunInfo& run, int position, WallTime now);
// The token frames of one run: what is the same in all of them is rendered once, for there are a
// thousand of them to every other frame.
class TokenFrames {
 public:
  explicit TokenFrames(const chat::RunInfo& run);
  // `count` is there when the slice has several tokens.
  std::string render(const chat::Slice& slice, WallTime now) const;
  // The same in place of what `out` held, whose memory is used again.
  void render(const chat::Slice& slice, WallTime now, std::string& out) const;

 private:
  std::string run_;  // the fields that name it
};
std::string complete_frame(const chat::RunInfo& run, const chat::Outcome& outcome,
                           std::size_t tokens, WallTime now);
std::string error_frame(const Error& error, const MessageIds& ids, WallTime now);
// A run that failed or was cut short.
std::string failure_frame(const chat::RunInfo& run, const chat::Outcome& outcome, WallTime now);
std::string ping_frame(WallTime now);
std::string pong_frame(WallTime now);
std::string system_frame(SystemLevel level, std::string_view message, WallTime now);

}  // namespace tars::api

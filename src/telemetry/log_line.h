// How one log line looks; pure, so that it can be tested without a terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/log.h"

namespace tars::telemetry {

// One line without its newline, whatever the fields contain: control characters are escaped and bad
// UTF-8 is replaced, so that no value can forge a second line.
// text: `2026-11-24T16:10:00.123456Z INFO event key=value key="a value"`
// json: `{"time":"…","level":"info","event":"…","key":…}`
std::string format_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                            std::span<const Field> fields);

}  // namespace tars::telemetry

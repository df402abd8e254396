// llama.cpp's own log lines.
#pragma once

#include <string>

namespace tars::llm {

// From now on llama.cpp's warnings and errors go to the log at debug level, the rest nowhere.
// Idempotent, thread-safe.
void route_llama_log();

// The last error line of llama.cpp in this process, one line; empty when there was none.
std::string last_llama_error();

}  // namespace tars::llm

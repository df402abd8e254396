// The API of OpenAI-compatible servers: POST {base}/chat/completions, answered by server-sent
// events.
#pragma once

#include "llm/remote/dialect.h"

namespace tars::llm {

// `api_key` is sent as a bearer; empty = none.
std::unique_ptr<Dialect> make_openai_dialect(std::string api_key);

}  // namespace tars::llm

// Ollama's own API: POST /api/chat, answered by one JSON object a line.
#pragma once

#include "llm/remote/dialect.h"

namespace tars::llm {

// `context_length` goes into every request as num_ctx; 0 = the server's own.
std::unique_ptr<Dialect> make_ollama_dialect(int context_length);

}  // namespace tars::llm

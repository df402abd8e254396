// What LLM_BACKEND may be, and the prefixes of models' names: ollama/llama3.
#pragma once

namespace tars::llm {

inline constexpr const char* kEmbeddedBackend = "embedded";
inline constexpr const char* kOllamaBackend = "ollama";
inline constexpr const char* kOpenAiBackend = "openai";

}  // namespace tars::llm

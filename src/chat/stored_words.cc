#include "chat/stored_words.h"

#include <array>
#include <utility>

namespace tars::chat {
namespace {

constexpr std::array<std::pair<RunStatus, std::string_view>, 6> kStatuses{{
    {RunStatus::queued, "queued"},
    {RunStatus::running, "running"},
    {RunStatus::complete, "complete"},
    {RunStatus::cancelled, "cancelled"},
    {RunStatus::failed, "failed"},
    {RunStatus::interrupted, "interrupted"},
}};

// Those that can end a run; any other is stored as internal.
constexpr std::array<std::pair<ErrorCode, std::string_view>, 9> kErrors{{
    {ErrorCode::internal, "internal"},
    {ErrorCode::overloaded, "overloaded"},
    {ErrorCode::model_not_found, "model_not_found"},
    {ErrorCode::backend_unavailable, "backend_unavailable"},
    {ErrorCode::generation_error, "generation_error"},
    {ErrorCode::context_overflow, "context_overflow"},
    {ErrorCode::history_lost, "history_lost"},
    {ErrorCode::store_unavailable, "store_unavailable"},
    {ErrorCode::timeout, "timeout"},
}};

}  // namespace

std::string_view to_word(RunStatus status) {
  for (const auto& [value, word] : kStatuses) {
    if (value == status) return word;
  }
  return "failed";
}

std::string_view to_word(ErrorCode code) {
  for (const auto& [value, word] : kErrors) {
    if (value == code) return word;
  }
  return "internal";
}

RunStatus status_from_word(std::string_view word) {
  for (const auto& [value, name] : kStatuses) {
    if (name == word) return value;
  }
  return RunStatus::failed;
}

ErrorCode error_from_word(std::string_view word) {
  for (const auto& [value, name] : kErrors) {
    if (name == word) return value;
  }
  return ErrorCode::internal;
}

}  // namespace tars::chat

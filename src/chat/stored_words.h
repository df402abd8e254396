// The words that stand for enumerators in the database: stable, whatever the order of the
// enumerators.
#pragma once

#include <string_view>

#include "base/error.h"
#include "chat/run.h"

namespace tars::chat {

std::string_view to_word(RunStatus status);
std::string_view to_word(ErrorCode code);
// An unknown word is failed, and internal.
RunStatus status_from_word(std::string_view word);
ErrorCode error_from_word(std::string_view word);

}  // namespace tars::chat

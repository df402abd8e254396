// Which turns of a conversation fit the model's context.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "llm/backend.h"

namespace tars::llm {

using TokenId = std::int32_t;

// Renders messages with the model's chat template and tokenizes the result.
using TokenizeMessages = std::function<Result<std::vector<TokenId>>(std::span<const Message>)>;

struct FittedPrompt {
  std::vector<TokenId> tokens;
  int max_tokens = 0;  // what was asked for, cut to what the context has left; at least 1
};

// Drops the oldest turns until prompt and a reserve of min(max_tokens, context_length / 4) fit. It
// cuts in steps of a quarter of the context, counted from the beginning, so that the next turns of
// the same conversation cut at the same place and share the prefix. System messages at the front
// stay unless the last message fits only without them. context_overflow when the last message alone
// does not leave room for one token; invalid_message without messages. Calls `tokenize` a few
// times.
Result<FittedPrompt> fit_prompt(std::span<const Message> messages, int max_tokens,
                                int context_length, const TokenizeMessages& tokenize);

}  // namespace tars::llm

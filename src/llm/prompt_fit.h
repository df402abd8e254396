// Which turns of a conversation fit the model's context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "llm/backend.h"

namespace tars::llm {

using TokenId = std::int32_t;

// What an average token of English prose is, for first guesses only; each guess is checked.
inline constexpr std::size_t kUsualBytesPerToken = 4;
// Tokens are hardly longer on average: of a history, what is above this is not worth reading.
inline constexpr std::size_t kMaxBytesPerToken = 2 * kUsualBytesPerToken;
// What a message's frame is about, its role and the marks around it: of many short turns it is the
// larger part.
inline constexpr std::size_t kFrameBytes = 5 * kUsualBytesPerToken;

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

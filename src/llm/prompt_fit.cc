#include "llm/prompt_fit.h"

#include <algorithm>
#include <string>

namespace tars::llm {
namespace {

// No text tokenizes so well.
constexpr std::size_t kLongestToken = 128;

std::size_t bytes_of(const Message& message) { return message.content.size() + kFrameBytes; }

// The messages as: system messages, then turns that begin with a user message each.
struct Turns {
  std::size_t system_end = 0;
  std::vector<std::size_t> begins;   // index of each turn's first message
  std::vector<std::size_t> dropped;  // bytes gone when the turns before this one are dropped
  std::size_t bytes = 0;
};

Turns split_turns(std::span<const Message> messages) {
  Turns turns;
  while (turns.system_end + 1 < messages.size() &&
         messages[turns.system_end].role == Role::system) {
    turns.bytes += bytes_of(messages[turns.system_end]);
    ++turns.system_end;
  }
  std::size_t gone = 0;
  for (std::size_t i = turns.system_end; i < messages.size(); ++i) {
    if (i == turns.system_end || messages[i].role == Role::user) {
      turns.begins.push_back(i);
      turns.dropped.push_back(gone);
    }
    gone += bytes_of(messages[i]);
  }
  turns.bytes += gone;
  // What is to be answered is its own turn even when it is no user message.
  if (turns.begins.back() != messages.size() - 1) {
    turns.begins.push_back(messages.size() - 1);
    turns.dropped.push_back(gone - bytes_of(messages.back()));
  }
  return turns;
}

std::vector<Message> without_turns(std::span<const Message> messages, const Turns& turns,
                                   std::size_t drop) {
  std::vector<Message> kept(messages.begin(),
                            messages.begin() + static_cast<std::ptrdiff_t>(turns.system_end));
  kept.insert(kept.end(), messages.begin() + static_cast<std::ptrdiff_t>(turns.begins[drop]),
              messages.end());
  return kept;
}

// The first turn to keep when at least `bytes` are to go, rounded up to whole steps of `step`
// bytes.
std::size_t turns_to_drop(const Turns& turns, std::size_t bytes, std::size_t step) {
  const std::size_t goal = (bytes + step - 1) / step * step;
  std::size_t drop = 0;
  while (drop + 1 < turns.begins.size() && turns.dropped[drop] < goal) ++drop;
  return drop;
}

Error overflow(std::size_t tokens, int context_length) {
  return make_error(ErrorCode::context_overflow,
                    "the message has " + std::to_string(tokens) +
                        " tokens with its frame, the context has room for " +
                        std::to_string(context_length) + "; send a shorter message");
}

FittedPrompt fitted(std::vector<TokenId> tokens, int max_tokens, int context_length) {
  const int left = context_length - static_cast<int>(tokens.size());
  return {std::move(tokens), std::clamp(max_tokens, 1, left)};
}

// No turn is left to drop: the reserve gives way, then the system messages.
Result<FittedPrompt> fit_last(std::span<const Message> messages, const Turns& turns, int max_tokens,
                              int context_length, const TokenizeMessages& tokenize) {
  const std::size_t drop = turns.begins.size() - 1;
  const std::size_t room = static_cast<std::size_t>(context_length);
  const std::vector<Message> with_system = without_turns(messages, turns, drop);
  // A text this long is refused without reading it token by token.
  const std::size_t last_bytes = messages.back().content.size();
  if (last_bytes > room * kLongestToken)
    return overflow(last_bytes / kUsualBytesPerToken, context_length);
  auto tokens = tokenize(with_system);
  if (!tokens) return tokens.error();
  if (tokens->size() < room) return fitted(std::move(*tokens), max_tokens, context_length);
  if (turns.system_end == 0) return overflow(tokens->size(), context_length);
  auto alone = tokenize(messages.last(1));
  if (!alone) return alone.error();
  if (alone->size() < room) return fitted(std::move(*alone), max_tokens, context_length);
  return overflow(alone->size(), context_length);
}

}  // namespace

Result<FittedPrompt> fit_prompt(std::span<const Message> messages, int max_tokens,
                                int context_length, const TokenizeMessages& tokenize) {
  if (messages.empty())
    return make_error(ErrorCode::invalid_message, "there is no message to answer");
  const Turns turns = split_turns(messages);
  const int reserve = std::max(1, std::min(max_tokens, context_length / 4));
  const std::size_t limit = static_cast<std::size_t>(context_length - reserve);
  const std::size_t step = std::max<std::size_t>(static_cast<std::size_t>(context_length), 1);

  std::size_t goal = 0;
  if (turns.bytes > limit * kMaxBytesPerToken) goal = turns.bytes - limit * kUsualBytesPerToken;
  for (;;) {
    const std::size_t drop = turns_to_drop(turns, goal, step);
    if (drop + 1 == turns.begins.size()) break;
    auto tokens = tokenize(without_turns(messages, turns, drop));
    if (!tokens) return tokens.error();
    if (tokens->size() <= limit) return fitted(std::move(*tokens), max_tokens, context_length);
    const std::size_t bytes = turns.bytes - turns.dropped[drop];
    const std::size_t excess = (tokens->size() - limit) * bytes / tokens->size();
    goal = std::max(turns.dropped[drop] + excess, turns.dropped[drop] + 1);
  }
  return fit_last(messages, turns, max_tokens, context_length, tokenize);
}

}  // namespace tars::llm

// JSON of model servers, read without trusting it.
#pragma once

#include <boost/json.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/backend.h"

namespace tars::llm {

// Parses one line or event after the other in the same memory. Bounded: nesting of 32. For one
// thread; what it gave lives until the next parse().
class JsonLine {
 public:
  // Shared by all answers that a thread reads: its memory is warm, where that of one among hundreds
  // is not.
  static JsonLine& of_this_thread();

  // generation_error when it is no JSON. Its strings may be no UTF-8, and half a surrogate pair is
  // no fault: see TextMender.
  Result<boost::json::value> parse(std::string_view text);

 private:
  void write(std::string_view text, boost::system::error_code& ec);

  std::array<unsigned char, 4096> memory_;
  // Made anew for each text: release() keeps the size of the next block, which doubles with each.
  std::optional<boost::json::monotonic_resource> resource_;
  boost::json::parser parser_{{}, {.max_depth = 32, .allow_invalid_utf8 = true}};
};

// nullptr, "" and 0 where the field is missing or of another type.
const boost::json::object* object_in(const boost::json::object& object, std::string_view key);
std::string_view text_in(const boost::json::object& object, std::string_view key);
int count_in(const boost::json::object& object, std::string_view key);

// What a server said about its failure, as text for people: cut to 300 bytes, control characters
// left out. Takes `"text"`, `{"message":"text"}` and `{"error_message":"text"}`.
std::string words(const boost::json::value& error);
// The same from a whole body: `{"error":…}`, `{"object":"error","message":…}` (vLLM),
// `{"detail":…}` (FastAPI, with a text or a list of what is wrong where); "" when it is none.
std::string error_words(std::string_view body);

// Text that stands in such a body's error, or beside it: `code`, or `param`, the parameter that it
// is about; "" where there is none.
std::string error_field(std::string_view body, std::string_view name);

// Whether a failure's body says that the prompt, or it with the answer, is longer than the context.
bool is_about_length(std::string_view body);

// A status, of an answer or in an error, that says to come back later; 529 is Anthropic's. How much
// later, where the server does not say.
bool is_busy_status(unsigned status);
constexpr std::chrono::seconds kUsualPause{5};

bool is_json(std::string_view text);

// What readers of streams say: the server's own error, whose code is that of a refusal with the
// same words, and the end that did not come.
Error failed(const boost::json::value& error);
Error ended_early();

// body[list][i][field] of a listing, without the models that say that they only embed.
Result<std::vector<std::string>> names_in(std::string_view body, std::string_view list,
                                          std::string_view field);

// [{"role":"user","content":"…"}]
boost::json::array messages_json(const std::vector<Message>& messages);
// 0.7F as 0.7 and not as 0.699999988079071.
double shown(float value);

}  // namespace tars::llm

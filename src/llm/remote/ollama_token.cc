#include "llm/remote/ollama_token.h"

#include <boost/json/basic_parser_impl.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace tars::llm {

namespace json = boost::json;

// What basic_parser calls; its names. A false ends the reading.
struct OllamaToken::Fields {
  using Ec = json::error_code;
  using View = json::string_view;

  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  // NOLINTBEGIN(readability-identifier-naming): Boost.JSON looks for these names.
  static constexpr std::size_t max_object_size = kAny;
  static constexpr std::size_t max_array_size = kAny;
  static constexpr std::size_t max_key_size = kAny;
  static constexpr std::size_t max_string_size = kAny;
  // NOLINTEND(readability-identifier-naming)

  enum class Field { other, message, done, content, thinking };

  // depth 1 is the line's object, depth 2 that of its message
  int depth = 0;
  bool in_message = false;
  Field field = Field::other;  // whose value comes next
  bool going_on = false;       // "done":false was there
  bool thought = false;
  std::string key;
  std::string text;

  void clear() {
    depth = 0;
    in_message = going_on = thought = false;
    field = Field::other;
    key.clear();
    text.clear();
  }

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) {
    in_message = in_message || field == Field::message;
    field = Field::other;
    ++depth;
    return true;
  }
  bool on_object_end(std::size_t, Ec&) {
    if (--depth == 1) in_message = false;
    return true;
  }
  bool on_array_begin(Ec&) {
    field = Field::other;
    return ++depth > 1;  // a line is an object
  }
  bool on_array_end(std::size_t, Ec&) {
    --depth;
    return true;
  }
  bool on_key_part(View part, std::size_t, Ec&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t, Ec&) {
    std::string_view name(part.data(), part.size());
    if (!key.empty()) name = key.append(part.data(), part.size());
    field = Field::other;
    if (depth == 1) {
      if (name == "message") field = Field::message;
      if (name == "done") field = Field::done;
      if (name == "error") return false;
    } else if (depth == 2 && in_message) {
      if (name == "content") field = Field::content;
      if (name == "thinking") field = Field::thinking;
    }
    // Of several of one name the last counts, whatever it is.
    if (field == Field::message || field == Field::content) text.clear();
    if (field == Field::message || field == Field::thinking) thought = false;
    if (field == Field::done) going_on = false;
    key.clear();
    return true;
  }
  bool on_string_part(View part, std::size_t, Ec&) {
    take(part);
    return true;
  }
  bool on_string(View part, std::size_t, Ec&) {
    take(part);
    return scalar();
  }
  bool on_number_part(View, Ec&) { return true; }
  bool on_int64(std::int64_t, View, Ec&) { return scalar(); }
  bool on_uint64(std::uint64_t, View, Ec&) { return scalar(); }
  bool on_double(double, View, Ec&) { return scalar(); }
  bool on_bool(bool value, Ec&) {
    if (field == Field::done) going_on = !value;
    return depth > 0;
  }
  bool on_null(Ec&) { return scalar(); }
  bool on_comment_part(View, Ec&) { return true; }
  bool on_comment(View, Ec&) { return true; }

  void take(View part) {
    if (field == Field::content) text.append(part.data(), part.size());
    if (field == Field::thinking && !part.empty()) thought = true;
  }
  // A "done" that is no bool is somebody else's line.
  bool scalar() const { return depth > 0 && field != Field::done; }
};

struct OllamaToken::Parser {
  json::basic_parser<Fields> parser{json::parse_options()};
};

OllamaToken& OllamaToken::of_this_thread() {
  static thread_local OllamaToken token;
  return token;
}

OllamaToken::OllamaToken() : parser_(std::make_unique<Parser>()) {}
OllamaToken::~OllamaToken() = default;

bool OllamaToken::read(std::string_view line) {
  auto& parser = parser_->parser;
  parser.reset();
  parser.handler().clear();
  json::error_code ec;
  const std::size_t taken = parser.write_some(false, line.data(), line.size(), ec);
  return !ec && parser.done() && taken == line.size() && parser.handler().going_on;
}

std::string_view OllamaToken::text() const { return parser_->parser.handler().text; }

bool OllamaToken::is_thought() const { return parser_->parser.handler().thought; }

}  // namespace tars::llm

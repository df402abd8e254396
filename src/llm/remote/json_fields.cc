#include "llm/remote/json_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "llm/remote/text_mender.h"

namespace tars::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxWords = 300;

// Not in the middle of a character.
std::string_view beginning(std::string_view text) {
  text = text.substr(0, kMaxWords);
  return text.substr(0, complete_utf8_prefix(text));
}

std::string for_people(std::string_view text) {
  // What is no UTF-8 grows by being replaced.
  const std::string valid = replace_invalid_utf8(beginning(text));
  return replace_control_characters(beginning(valid));
}

// An empty one where the body is none. Gemini puts its error into an array.
json::value object_of(std::string_view body) {
  JsonLine line;
  const Result<json::value> parsed = line.parse(body);
  if (!parsed) return json::object();
  const json::array* const list = parsed->if_array();
  const json::value& object = list != nullptr && !list->empty() ? list->front() : *parsed;
  if (!object.is_object()) return json::object();
  return json::value(object, json::storage_ptr());  // the line's memory goes with it
}

// There is no code that they share: the words of OpenAI, vLLM, SGLang, llama-server, TGI,
// TensorRT-LLM, Anthropic, Bedrock, xAI.
bool says_too_long(std::string_view said) {
  constexpr std::array<std::string_view, 20> kWords = {"context_length",
                                                       "context length",
                                                       "maximum context",
                                                       "context size",
                                                       "context_size",
                                                       "context window",
                                                       "context limit",
                                                       "max_new_tokens must be <=",
                                                       "inputs must have less than",
                                                       "input is too long",
                                                       "prompt is too long",
                                                       "prompt too long",
                                                       "maximum prompt length",
                                                       "maximum allowed length",
                                                       "maximum model length",
                                                       "maximum number of tokens",
                                                       "max_model_len",
                                                       "max_seq_len",
                                                       "max_total_tokens",
                                                       "maximum sequence length"};
  std::string text;
  for (const char c : said) {
    // TGI writes names between backticks.
    if (c != '`') text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::ranges::any_of(kWords, [&](auto words) { return text.find(words) != text.npos; });
}

// llama-server's numbers, in its error or beside it: more tokens than there is room for.
bool says_more_than_context(const json::object& failure) {
  const json::object* const error = object_in(failure, "error");
  const json::object& object = error == nullptr ? failure : *error;
  const int room = count_in(object, "n_ctx");
  return room > 0 && count_in(object, "n_prompt_tokens") > room;
}

ErrorCode meaning_of(const json::value& error) {
  if (says_too_long(json::serialize(error))) return ErrorCode::context_overflow;
  const json::object* const object = error.if_object();
  if (object == nullptr) return ErrorCode::generation_error;
  if (says_more_than_context(*object)) return ErrorCode::context_overflow;
  const int status = count_in(*object, "code");
  if (is_busy_status(static_cast<unsigned>(status))) return ErrorCode::overloaded;
  if (text_in(*object, "code") == "429") return ErrorCode::overloaded;  // LiteLLM
  for (const char* const field : {"code", "type"}) {
    const std::string_view word = text_in(*object, field);
    if (word == "model_not_found") return ErrorCode::model_not_found;
    if (word.starts_with("rate_limit") || word.starts_with("overloaded")) {
      return ErrorCode::overloaded;
    }
  }
  return ErrorCode::generation_error;
}

// [{"loc":["body","temperature"],"msg":"Input should be less than 2"}] or a text.
std::string detail_words(const json::value& detail) {
  const json::array* const list = detail.if_array();
  if (list == nullptr) return words(detail);
  std::string out;
  for (const json::value& entry : *list) {
    const json::object* const fault = entry.if_object();
    if (fault == nullptr) continue;
    if (!out.empty()) out += "; ";
    const json::value* const place = fault->if_contains("loc");
    const json::array* const path = place == nullptr ? nullptr : place->if_array();
    if (path != nullptr && !path->empty()) {
      if (const auto* const field = path->back().if_string()) out += std::string(*field) + ": ";
    }
    out += text_in(*fault, "msg");
  }
  return for_people(out);
}

// Newer Ollama says what each model can do; one that only embeds answers nobody.
bool can_chat(const json::object& model) {
  const json::value* const said = model.if_contains("capabilities");
  const json::array* const list = said == nullptr ? nullptr : said->if_array();
  if (list == nullptr || list->empty()) return true;
  return std::ranges::find(*list, json::value("completion")) != list->end();
}

}  // namespace

JsonLine& JsonLine::of_this_thread() {
  static thread_local JsonLine line;
  return line;
}

void JsonLine::write(std::string_view text, boost::system::error_code& ec) {
  parser_.reset();  // what a broken line left, before its memory goes
  parser_.reset(&resource_.emplace(memory_.data(), memory_.size()));
  parser_.write(text.data(), text.size(), ec);
}

Result<json::value> JsonLine::parse(std::string_view text) {
  boost::system::error_code ec;
  write(text, ec);
  // Some servers cut their text between the halves of a pair.
  if (ec && text.find("\\u") != std::string_view::npos) {
    const std::string raw = raw_surrogates(text);
    if (raw != text) write(raw, ec);
  }
  if (ec) return make_error(ErrorCode::generation_error, "no JSON: " + ec.message());
  return parser_.release();
}

const json::object* object_in(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::string_view text_in(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  const json::string* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

int count_in(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  const std::int64_t* const count = value == nullptr ? nullptr : value->if_int64();
  if (count == nullptr || *count < 0 || *count > std::numeric_limits<int>::max()) return 0;
  return static_cast<int>(*count);
}

std::string words(const json::value& error) {
  if (const auto* text = error.if_string()) return for_people({text->data(), text->size()});
  if (const auto* object = error.if_object()) {
    const std::string_view message = text_in(*object, "message");
    return for_people(message.empty() ? text_in(*object, "error_message") : message);
  }
  return "without saying why";
}

std::string error_words(std::string_view body) {
  const json::value parsed = object_of(body);
  const json::object& object = parsed.get_object();
  if (const auto* const error = object.if_contains("error")) return words(*error);
  if (const auto* const detail = object.if_contains("detail")) return detail_words(*detail);
  return words(parsed);
}

std::string error_field(std::string_view body, std::string_view name) {
  const json::value parsed = object_of(body);
  const json::object& object = parsed.get_object();
  const json::object* const error = object_in(object, "error");
  return std::string(text_in(error == nullptr ? object : *error, name));
}

bool is_about_length(std::string_view body) {
  const json::value parsed = object_of(body);
  return says_too_long(body) || says_more_than_context(parsed.get_object());
}

bool is_busy_status(unsigned status) { return status == 429 || status == 503 || status == 529; }

bool is_json(std::string_view text) {
  return static_cast<bool>(JsonLine::of_this_thread().parse(text));
}

Error failed(const json::value& error) {
  std::string said = words(error);
  if (said.empty()) said = "without saying why";
  Error out = make_error(meaning_of(error), "the model server failed: " + said);
  if (out.code == ErrorCode::overloaded) out.retry_after = kUsualPause;
  out.quoted = std::move(said);
  return out;
}

Error ended_early() {
  return make_error(ErrorCode::generation_error,
                    "the model server ended the answer before it was complete");
}

Result<std::vector<std::string>> names_in(std::string_view body, std::string_view list,
                                          std::string_view field) {
  boost::system::error_code ec;
  const json::value parsed = json::parse(body, ec);
  const json::object* const object = ec ? nullptr : parsed.if_object();
  const json::value* const entries = object == nullptr ? nullptr : object->if_contains(list);
  const json::array* const array = entries == nullptr ? nullptr : entries->if_array();
  std::vector<std::string> out;
  if (array == nullptr) {
    // null is what an empty list looks like where Go wrote it.
    if (entries != nullptr && entries->is_null()) return out;
    return make_error(ErrorCode::generation_error, "no list of models in the server's answer");
  }
  for (const json::value& entry : *array) {
    const json::object* const model = entry.if_object();
    const std::string_view name = model == nullptr ? std::string_view() : text_in(*model, field);
    // Names are shown to people, in logs and in the service manager's status.
    const bool shown = !name.empty() && !has_control_characters(name);
    if (shown && can_chat(*model)) out.emplace_back(name);
  }
  return out;
}

json::array messages_json(const std::vector<Message>& messages) {
  json::array out;
  out.reserve(messages.size());
  for (const Message& message : messages) {
    out.push_back(json::object{{"role", name_of(message.role)}, {"content", message.content}});
  }
  return out;
}

double shown(float value) { return std::round(static_cast<double>(value) * 1e6) / 1e6; }

}  // namespace tars::llm

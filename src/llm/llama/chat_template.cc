#include "llm/llama/chat_template.h"

// The engine's headers are not ours to keep free of warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wunused"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>
#include <jinja/value.h>
#include <json.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <exception>
#include <string_view>

#include "base/utf8.h"

namespace tars::llm {

struct ChatTemplate::Program {
  std::string source;
  std::string bos_token;
  std::string eos_token;
  jinja::program program;
  bool typed_content = false;  // content is a list of parts, as multimodal templates want it
  bool system_role = true;
};

namespace {

// The engine's errors show the source over several lines.
std::string one_line(std::string_view text) {
  text = text.substr(0, text.find(" at row "));
  std::string line =
      replace_invalid_utf8(text.substr(0, complete_utf8_prefix(text.substr(0, 200))));
  std::replace_if(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line;
}

// The engine marks all of a message as input, its role too, which some templates make a control
// token of: '<|' + role + '|>'. No such word holds anything that a message must not say.
bool is_role_word(std::string_view text) {
  return text == "system" || text == "user" || text == "assistant";
}

void append_part(std::vector<PromptPart>& parts, std::string_view text, bool from_message) {
  if (text.empty()) return;
  if (parts.empty() || parts.back().from_message != from_message) {
    parts.push_back({std::string(text), from_message});
  } else {
    parts.back().text += text;
  }
}

common_json messages_json(std::span<const Message> messages, bool typed_content) {
  common_json list = common_json::array();
  for (const Message& message : messages) {
    common_json item;
    item["role"] = name_of(message.role);
    if (typed_content) {
      common_json part;
      part["type"] = "text";
      part["text"] = message.content;
      common_json parts = common_json::array();
      parts.push_back(part);
      item["content"] = parts;
    } else {
      item["content"] = message.content;
    }
    list.push_back(item);
  }
  return list;
}

std::vector<Message> with_system_in_user(std::span<const Message> messages) {
  std::vector<Message> merged;
  std::string system;
  for (const Message& message : messages) {
    if (message.role == Role::system) {
      system += message.content + "\n\n";
      continue;
    }
    merged.push_back(message);
    if (message.role == Role::user && !system.empty()) {
      merged.back().content.insert(0, system);
      system.clear();
    }
  }
  if (!system.empty()) merged.push_back({Role::user, system});
  return merged;
}

// Whether every message's text is there, each after the one before.
bool in_order(const std::vector<PromptPart>& parts, std::span<const Message> messages) {
  std::string text;
  for (const PromptPart& part : parts) text += part.text;
  std::size_t at = 0;
  for (const Message& message : messages) {
    at = text.find(message.content, at);
    if (at == std::string::npos) return false;
    at += message.content.size();
  }
  return true;
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::parse(const std::string& source, std::string bos_token,
                                         std::string eos_token) {
  auto program = std::make_unique<Program>();
  try {
    jinja::lexer lexer;
    const auto tokens = lexer.tokenize(source);
    program->program = jinja::parse_from_tokens(tokens);
    program->source = tokens.source;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::config_error,
                      "its chat template cannot be parsed: " + one_line(e.what()));
  }
  program->bos_token = std::move(bos_token);
  program->eos_token = std::move(eos_token);
  ChatTemplate chat(std::move(program));

  const std::vector<Message> talk{{Role::user, "first question"},
                                  {Role::assistant, "first answer"},
                                  {Role::user, "second question"}};
  std::string why = "it does not show the messages";
  bool works = false;
  for (const bool typed : {false, true}) {
    chat.program_->typed_content = typed;
    const auto parts = chat.render_as_is(talk);
    works = parts && in_order(*parts, talk);
    if (works) break;
    if (!parts) why = parts.error().message;
  }
  if (!works)
    return make_error(ErrorCode::config_error, "its chat template cannot be used: " + why);

  std::vector<Message> with_system = talk;
  with_system.insert(with_system.begin(), {Role::system, "the system text"});
  const auto parts = chat.render_as_is(with_system);
  chat.program_->system_role = parts && in_order(*parts, with_system);
  return chat;
}

Result<std::vector<PromptPart>> ChatTemplate::render(std::span<const Message> messages) const {
  if (program_->system_role) return render_as_is(messages);
  return render_as_is(with_system_in_user(messages));
}

Result<std::vector<PromptPart>> ChatTemplate::render_as_is(
    std::span<const Message> messages) const {
  try {
    jinja::context context(program_->source);
    common_json data;
    data["messages"] = messages_json(messages, program_->typed_content);
    jinja::global_from_json(context, data, true);
    common_json frame;
    frame["bos_token"] = program_->bos_token;
    frame["eos_token"] = program_->eos_token;
    frame["add_generation_prompt"] = true;
    frame["enable_thinking"] = false;
    jinja::global_from_json(context, frame, false);

    jinja::runtime runtime(context);
    const auto rendered = jinja::runtime::gather_string_parts(runtime.execute(program_->program));
    std::vector<PromptPart> parts;
    for (const auto& part : rendered->as_string().parts) {
      append_part(parts, part.val, part.is_input && !is_role_word(part.val));
    }
    return parts;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::generation_error,
                      "the model's chat template refuses: " + one_line(e.what()));
  }
}

}  // namespace tars::llm

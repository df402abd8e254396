// A model's own chat template (Jinja), rendered by llama.cpp's engine.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "llm/backend.h"

namespace tars::llm {

// A stretch of a rendered prompt. Text that came from a message is data: it must not be read as
// control tokens.
struct PromptPart {
  std::string text;
  bool from_message = false;
};

// Owns the parsed template. render() may be called from any thread at once.
class ChatTemplate {
 public:
  // Parses and tries the template: a conversation of three messages must come out whole and in
  // order. config_error without the option's name, which the caller adds.
  static Result<ChatTemplate> parse(const std::string& source, std::string bos_token,
                                    std::string eos_token);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // The prompt up to where the assistant's answer begins. Where the template knows no system role,
  // the system text goes in front of the first user message. generation_error when the template
  // refuses.
  Result<std::vector<PromptPart>> render(std::span<const Message> messages) const;

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<Program> program);
  Result<std::vector<PromptPart>> render_as_is(std::span<const Message> messages) const;
  std::unique_ptr<Program> program_;
};

}  // namespace tars::llm

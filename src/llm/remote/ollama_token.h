// The line that Ollama sends for each token, read with no document in between.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tars::llm {

// {"message":{"content":"I","thinking":"..."},"done":false} with whatever else. A thousand times as
// frequent as every other line, and half of the time of a document of it is for what nobody asks.
class OllamaToken {
 public:
  // For one line at a time on this thread: its memory stays.
  static OllamaToken& of_this_thread();

  OllamaToken();
  ~OllamaToken();
  OllamaToken(const OllamaToken&) = delete;
  OllamaToken& operator=(const OllamaToken&) = delete;

  // Whether `line` is such a line: a whole JSON object (RFC 8259) with "done":false and without
  // "error". Any other is for who reads documents, and what is wrong with it is theirs to say.
  bool read(std::string_view line);

  // Of the last line that was one: message.content, until the next; empty where it has none.
  std::string_view text() const;
  bool is_thought() const;  // message.thinking has a text

 private:
  struct Fields;
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace tars::llm

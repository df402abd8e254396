// What differs between the servers that can answer for us: how they are asked and how they answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/backend.h"
#include "net/client/exchange.h"

namespace tars::llm {

// Where the text of a stream goes, piece by piece as the server sent it.
class TextTarget {
 public:
  virtual ~TextTarget() = default;
  virtual void on_text(std::string_view text) = 0;
  // The model thinks aloud, which is no part of the answer but shows that it works.
  virtual void on_thought() {}
};

// Reads the body of one streamed answer. Bounded: one line (or event) is at most 1 MiB. For one
// thread.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  // Takes bytes as they come; after the end the rest is dropped. generation_error when they are
  // not what the dialect sends, or when the server says that it failed.
  virtual Result<void> feed(std::string_view bytes, TextTarget& target) = 0;
  // The body is complete: whether the answer is, too. generation_error when its end is missing.
  virtual Result<void> finish(TextTarget& target) = 0;
  // Set once the server has said that the answer is complete.
  virtual const std::optional<Completion>& end() const = 0;
  // The text is whole; what may still come are numbers and the end itself.
  virtual bool is_whole() const { return end().has_value(); }
};

// How a server wants a request that it does not take in the usual form.
struct RequestForm {
  bool max_completion_tokens = false;  // instead of max_tokens
  bool no_top_p = false;
  bool own_sampling = false;  // neither temperature nor top_p
  bool no_usage = false;  // no stream_options, which ask for the numbers of tokens
  bool operator==(const RequestForm&) const = default;
};

// Stateless: one for all threads.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;  // "ollama"
  virtual std::string_view model_option() const = 0;  // "OLLAMA_MODEL"
  // The Content-Type of a streamed answer.
  virtual std::string_view stream_type() const = 0;
  virtual net::ClientRequest chat(const Request& request, const std::string& model,
                                  const RequestForm& form) const = 0;
  // The form that a server asks for where it refuses one (400) with `body`; none = it is about
  // something else. Each form leaves out more than the one before, so that this comes to an end.
  virtual std::optional<RequestForm> other_form(std::string_view body,
                                                const RequestForm& form) const {
    static_cast<void>(body);
    static_cast<void>(form);
    return std::nullopt;
  }
  // By which name `host` wants to be asked where it refuses (status and body) its own; "" = it is
  // about something else.
  virtual std::string other_name(const net::Endpoint& host, unsigned status,
                                 std::string_view body) const {
    static_cast<void>(host);
    static_cast<void>(status);
    static_cast<void>(body);
    return {};
  }
  virtual std::unique_ptr<AnswerReader> reader() const = 0;
  // A cheap request that tells whether a host works and what models it has.
  virtual net::ClientRequest list() const = 0;
  // Of its 200 answer, in the server's order. generation_error when the body is something else.
  virtual Result<std::vector<std::string>> models(std::string_view body) const = 0;
};

}  // namespace tars::llm

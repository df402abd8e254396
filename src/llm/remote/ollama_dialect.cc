#include "llm/remote/ollama_dialect.h"

#include <boost/json.hpp>

#include "llm/remote/json_fields.h"
#include "llm/remote/line_splitter.h"
#include "llm/remote/ollama_token.h"

namespace tars::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxLine = 1024 * 1024;

Error foreign() {
  return make_error(ErrorCode::generation_error,
                    "the model server sent something that is no line of Ollama's API");
}

class OllamaReader final : public AnswerReader {
 public:
  Result<void> feed(std::string_view bytes, TextTarget& target) override {
    return lines_.feed(bytes, [&](std::string_view line) { return take(line, target); });
  }

  Result<void> finish(TextTarget& target) override {
    // Not every server ends its last line.
    if (!end_ && !lines_.rest().empty()) {
      if (const Result<void> taken = take(lines_.rest(), target); !taken) {
        return is_json(lines_.rest()) ? taken : ended_early();
      }
    }
    return end_ ? Result<void>() : ended_early();
  }

  const std::optional<Completion>& end() const override { return end_; }

 private:
  Result<void> take(std::string_view line, TextTarget& target) {
    if (end_ || line.empty()) return {};
    OllamaToken& token = OllamaToken::of_this_thread();
    if (token.read(line)) {
      if (!token.text().empty()) target.on_text(token.text());
      if (token.is_thought()) target.on_thought();
      return {};
    }
    const Result<json::value> parsed = JsonLine::of_this_thread().parse(line);
    if (!parsed) return foreign();
    const json::object* const object = parsed->if_object();
    if (object == nullptr) return foreign();
    const auto* const error = object->if_contains("error");
    if (error != nullptr && !error->is_null()) return failed(*error);
    const json::object* const message = object_in(*object, "message");
    const json::value* const done = object->if_contains("done");
    if (done == nullptr || !done->is_bool()) return foreign();
    if (message != nullptr) {
      if (const auto text = text_in(*message, "content"); !text.empty()) target.on_text(text);
      if (!text_in(*message, "thinking").empty()) target.on_thought();
    }
    if (done->as_bool()) finish_with(*object);
    return {};
  }

  void finish_with(const json::object& line) {
    Completion completion;
    if (text_in(line, "done_reason") == "length") completion.reason = FinishReason::length;
    completion.prompt_tokens = count_in(line, "prompt_eval_count");
    end_ = completion;
  }

  LineSplitter lines_{kMaxLine};
  std::optional<Completion> end_;
};

class OllamaDialect final : public Dialect {
 public:
  explicit OllamaDialect(int context_length) : context_length_(context_length) {}

  std::string_view name() const override { return "ollama"; }
  std::string_view model_option() const override { return "OLLAMA_MODEL"; }
  std::string_view stream_type() const override { return "application/x-ndjson"; }

  net::ClientRequest chat(const Request& request, const std::string& model,
                          const RequestForm&) const override {
    const Sampling& sampling = request.sampling;
    json::object options{{"temperature", shown(sampling.temperature)},
                         {"top_p", shown(sampling.top_p)},
                         {"top_k", sampling.top_k},
                         {"num_predict", sampling.max_tokens}};
    if (sampling.seed) options["seed"] = *sampling.seed;
    if (!sampling.stop.empty()) options["stop"] = json::value_from(sampling.stop);
    if (context_length_ > 0) options["num_ctx"] = context_length_;
    // Else Ollama cuts a prompt in its middle, rules and all, and an answer goes on past the
    // context by forgetting its beginning; neither is told.
    json::object body{{"model", model}, {"messages", messages_json(request.messages)},
                      {"stream", true}, {"truncate", false},
                      {"shift", false}, {"options", std::move(options)}};
    return {.method = "POST",
            .target = "/api/chat",
            .headers = {{"Content-Type", "application/json"}},
            .body = json::serialize(body)};
  }

  // One that listens on a loopback address answers 403, without a word, to names that are none of
  // its machine, so that no web page reaches it by a name of its own. A tunnel or an alias is one.
  std::string other_name(const net::Endpoint& host, unsigned status,
                         std::string_view body) const override {
    if (host.secure || status != 403 || !body.empty()) return {};
    return "127.0.0.1:" + std::to_string(host.port);
  }

  std::unique_ptr<AnswerReader> reader() const override { return std::make_unique<OllamaReader>(); }

  net::ClientRequest list() const override { return {.target = "/api/tags"}; }

  Result<std::vector<std::string>> models(std::string_view body) const override {
    return names_in(body, "models", "name");
  }

 private:
  const int context_length_;
};

}  // namespace

std::unique_ptr<Dialect> make_ollama_dialect(int context_length) {
  return std::make_unique<OllamaDialect>(context_length);
}

}  // namespace tars::llm

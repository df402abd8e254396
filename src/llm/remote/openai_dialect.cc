#include "llm/remote/openai_dialect.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <span>

#include "llm/remote/json_fields.h"
#include "llm/remote/sse_parser.h"
#include "net/message/ascii.h"

namespace tars::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxEvent = 1024 * 1024;
// 0 is outside of what servers take, and means the same as this: the one likeliest token.
constexpr double kLeastTopP = 1e-6;

Error foreign() {
  return make_error(ErrorCode::generation_error,
                    "the model server sent something that is no chat completion event");
}

// Servers differ in the case of finish_reasons.
bool is_one_of(std::span<const std::string_view> words, std::string_view reason) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return net::equals_ignoring_case(word, reason); });
}

// Of answers that were cut, beside OpenAI's own those of vLLM and SGLang (abort), DeepSeek,
// OpenRouter, Gemini, Zhipu. Any other word is an end: servers have many for it.
constexpr std::array<std::string_view, 10> kCut = {"abort",      "aborted",
                                                   "cancelled",  "content_filter",
                                                   "error",      "insufficient_system_resource",
                                                   "safety",     "network_error",
                                                   "recitation", "sensitive"};
constexpr std::array<std::string_view, 3> kLength = {"length", "max_tokens", "model_length"};
constexpr std::array<std::string_view, 2> kNone = {"", "null"};

std::string_view without_blanks_behind(std::string_view text) {
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Text, or a list of parts, as of Mistral's reasoning models:
// [{"type":"thinking","thinking":[…]}], then [{"type":"text","text":"…"}].
void take_content(const json::value& content, TextTarget& target) {
  if (const json::string* const text = content.if_string(); text != nullptr && !text->empty()) {
    target.on_text(*text);
  }
  const json::array* const parts = content.if_array();
  if (parts == nullptr) return;
  for (const json::value& entry : *parts) {
    const json::object* const part = entry.if_object();
    if (part == nullptr) continue;
    if (text_in(*part, "type") == "thinking") {
      target.on_thought();
    } else if (const auto text = text_in(*part, "text"); !text.empty()) {
      target.on_text(text);
    }
  }
}

class OpenAiReader final : public AnswerReader {
 public:
  Result<void> feed(std::string_view bytes, TextTarget& target) override {
    if (!begun_) {
      const std::size_t first = bytes.find_first_not_of(" \t\r\n");
      begun_ = first != std::string_view::npos;
      is_object_ = begun_ && bytes[first] == '{';
    }
    if (is_object_) return keep(bytes);
    return events_.feed(bytes, [&](std::string_view name, std::string_view data) {
      return take(name, data, target);
    });
  }

  Result<void> finish(TextTarget& target) override {
    if (end_) return {};
    if (is_object_) return take_whole(target);
    // Some servers leave out [DONE]; the finish_reason says as much.
    if (!finished_) return ended_early();
    end_ = completion_;
    return {};
  }

  const std::optional<Completion>& end() const override { return end_; }
  bool is_whole() const override { return finished_ || end_; }

 private:
  // The API's events have no names; what has one may be something else, a ping for example. And
  // nothing that comes behind the finish_reason makes a whole answer a broken one.
  Result<void> take(std::string_view name, std::string_view data, TextTarget& target) {
    data = without_blanks_behind(data);
    if (end_ || data.empty()) return {};
    if (data == "[DONE]") {
      end_ = completion_;
      return {};
    }
    const bool other = finished_ || (!name.empty() && name != "message" && name != "error");
    const Result<json::value> parsed = JsonLine::of_this_thread().parse(data);
    const json::object* const event = parsed ? parsed->if_object() : nullptr;
    if (event == nullptr) return other ? Result<void>() : foreign();
    const auto* const error = event->if_contains("error");
    if (error != nullptr && !error->is_null() && !finished_) return failed(*error);
    if (text_in(*event, "object") == "error" && !finished_) return failed(*parsed);
    const json::object* const usage = object_in(*event, "usage");
    if (usage != nullptr) take_usage(*usage);
    const json::value* const choices = event->if_contains("choices");
    const json::array* const list = choices == nullptr ? nullptr : choices->if_array();
    const bool is_chunk = usage != nullptr || text_in(*event, "object") == "chat.completion.chunk";
    const bool none = choices == nullptr ? is_chunk : choices->is_null();
    if (list == nullptr && (other || none)) return {};
    if (list == nullptr && (name == "error" || event->contains("error_message"))) {
      return failed(*parsed);
    }
    if (list == nullptr) return foreign();
    // The event with the usage has no choice; one was asked for, others are no part of the answer.
    for (const json::value& entry : *list) {
      const json::object* const choice = entry.if_object();
      if (choice == nullptr || count_in(*choice, "index") != 0) continue;
      if (auto taken = take_choice(*choice, target); !taken) return taken;
    }
    return {};
  }

  Result<void> keep(std::string_view bytes) {
    if (object_.size() + bytes.size() > kMaxEvent) {
      return make_error(
          ErrorCode::generation_error,
          "the model server sent an object of more than " + std::to_string(kMaxEvent) + " bytes");
    }
    object_ += bytes;
    return {};
  }

  // Some servers know no streams, and answer with the whole chat.completion.
  Result<void> take_whole(TextTarget& target) {
    const Result<json::value> parsed = JsonLine::of_this_thread().parse(object_);
    if (!parsed) return ended_early();
    const json::object& answer = parsed->get_object();
    const auto* const error = answer.if_contains("error");
    if (error != nullptr && !error->is_null()) return failed(*error);
    if (text_in(answer, "object") == "error") return failed(*parsed);
    const json::value* const choices = answer.if_contains("choices");
    const json::array* const list = choices == nullptr ? nullptr : choices->if_array();
    const json::object* const choice =
        list == nullptr || list->empty() ? nullptr : list->front().if_object();
    if (choice == nullptr || object_in(*choice, "message") == nullptr) return foreign();
    if (const json::object* const usage = object_in(answer, "usage")) take_usage(*usage);
    if (auto taken = take_choice(*choice, target); !taken) return taken;
    end_ = completion_;
    return {};
  }

  // Of a stream with its "delta", or of a whole answer with its "message", which some also put
  // behind a stream, where it says everything again.
  Result<void> take_choice(const json::object& choice, TextTarget& target) {
    const json::object* delta = object_in(choice, "delta");
    has_delta_ = has_delta_ || delta != nullptr;
    if (!has_delta_) delta = object_in(choice, "message");
    if (delta != nullptr) {
      if (const auto* const content = delta->if_contains("content")) {
        take_content(*content, target);
      }
      // Why the model does not answer is what it answers.
      if (const auto text = text_in(*delta, "refusal"); !text.empty()) target.on_text(text);
      if (!text_in(*delta, "reasoning_content").empty() || !text_in(*delta, "reasoning").empty()) {
        target.on_thought();
      }
    }
    if (finished_) return {};
    const auto* const error = choice.if_contains("error");
    if (error != nullptr && !error->is_null()) return failed(*error);
    const std::string_view reason = text_in(choice, "finish_reason");
    if (is_one_of(kNone, reason)) return {};
    if (is_one_of(kCut, reason)) {
      return make_error(
          ErrorCode::generation_error,
          "the model server ended the answer before it was complete: " + std::string(reason));
    }
    finished_ = true;
    if (is_one_of(kLength, reason)) completion_.reason = FinishReason::length;
    return {};
  }

  void take_usage(const json::object& usage) {
    completion_.prompt_tokens = count_in(usage, "prompt_tokens");
    if (const auto* details = object_in(usage, "prompt_tokens_details")) {
      completion_.cached_tokens = count_in(*details, "cached_tokens");
    }
  }

  SseParser events_{kMaxEvent};
  Completion completion_;
  bool finished_ = false;
  bool has_delta_ = false;
  std::optional<Completion> end_;
  bool begun_ = false;
  bool is_object_ = false;  // no stream
  std::string object_;
};

class OpenAiDialect final : public Dialect {
 public:
  explicit OpenAiDialect(std::string api_key) : api_key_(std::move(api_key)) {}

  std::string_view name() const override { return "openai"; }
  std::string_view model_option() const override { return "OPENAI_MODEL"; }
  std::string_view stream_type() const override { return "text/event-stream"; }

  net::ClientRequest chat(const Request& request, const std::string& model,
                          const RequestForm& form) const override {
    const Sampling& sampling = request.sampling;
    // top_k is not part of this API, and servers that check their input refuse what they don't
    // know.
    json::object body{
        {"model", model}, {"messages", messages_json(request.messages)}, {"stream", true}};
    if (!form.no_usage) body["stream_options"] = json::object{{"include_usage", true}};
    if (!form.own_sampling) {
      body["temperature"] = shown(sampling.temperature);
      if (!form.no_top_p) body["top_p"] = std::max(shown(sampling.top_p), kLeastTopP);
    }
    body[form.max_completion_tokens ? "max_completion_tokens" : "max_tokens"] = sampling.max_tokens;
    if (sampling.seed) body["seed"] = *sampling.seed;
    if (!sampling.stop.empty()) body["stop"] = json::value_from(sampling.stop);
    net::ClientRequest out{
        .method = "POST",
        .target = "/chat/completions",
        .headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
        .body = json::serialize(body)};
    authorize(out);
    return out;
  }

  // OpenAI's reasoning models, for example: "Unsupported parameter: 'max_tokens' is not supported
  // with this model. Use 'max_completion_tokens' instead.", then "Unsupported value: 'temperature'
  // does not support 0.7 with this model." Claude: "`temperature` and `top_p` cannot both be
  // specified for this model. Please use only one." Mistral's forbids stream_options as a field it
  // does not know. Where the refusal names the parameter, its words count for nothing else.
  std::optional<RequestForm> other_form(std::string_view body,
                                        const RequestForm& form) const override {
    const std::string param = error_field(body, "param");
    const auto says = [body](std::string_view words) { return body.find(words) != body.npos; };
    const auto is_about = [&](std::string_view name) {
      return param.empty() ? says(name) : param == name;
    };
    RequestForm other = form;
    if (!form.max_completion_tokens && (param.empty() || param == "max_tokens") &&
        says("max_completion_tokens")) {
      other.max_completion_tokens = true;
    } else if (!form.no_top_p && is_about("top_p") && says("cannot both")) {
      other.no_top_p = true;
    } else if ((is_about("temperature") || is_about("top_p")) &&
               (says("nsupported") || says("not support"))) {
      other.own_sampling = true;
    } else if (is_about("stream_options")) {
      other.no_usage = true;
    }
    if (other == form) return std::nullopt;
    return other;
  }

  std::unique_ptr<AnswerReader> reader() const override { return std::make_unique<OpenAiReader>(); }

  net::ClientRequest list() const override {
    net::ClientRequest out{.target = "/models"};
    authorize(out);
    return out;
  }

  Result<std::vector<std::string>> models(std::string_view body) const override {
    return names_in(body, "data", "id");
  }

 private:
  void authorize(net::ClientRequest& request) const {
    if (!api_key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + api_key_);
  }

  const std::string api_key_;
};

}  // namespace

std::unique_ptr<Dialect> make_openai_dialect(std::string api_key) {
  return std::make_unique<OpenAiDialect>(std::move(api_key));
}

}  // namespace tars::llm

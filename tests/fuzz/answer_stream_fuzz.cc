// Any bytes as the body of a model server's answer, in both dialects: the same text comes out
// however they were cut, it can be mended to valid UTF-8, nothing comes behind the end, and no line
// grows without bound; and a token's line gives what a document of it would.
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "llm/remote/json_fields.h"
#include "llm/remote/ollama_dialect.h"
#include "llm/remote/ollama_token.h"
#include "llm/remote/openai_dialect.h"
#include "llm/remote/text_mender.h"

namespace {

struct Text final : tars::llm::TextTarget {
  void on_text(std::string_view piece) override { add(mender.push(piece)); }
  void add(std::string_view mended) {
    if (!tars::is_valid_utf8(mended)) std::abort();
    text += mended;
  }
  tars::llm::TextMender mender;
  std::string text;
};

struct Outcome {
  std::string text;
  bool failed = false;
  bool ended = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read(const tars::llm::Dialect& dialect, std::string_view bytes, std::size_t step) {
  Text target;
  Outcome out;
  const auto reader = dialect.reader();
  for (std::size_t at = 0; at < bytes.size() && !out.failed; at += step) {
    out.failed = !reader->feed(bytes.substr(at, step), target).has_value();
  }
  if (!out.failed) out.failed = !reader->finish(target).has_value();
  target.add(target.mender.finish());
  out.text = target.text;
  out.ended = reader->end().has_value();
  return out;
}

void compare_with_document(std::string_view line) {
  static tars::llm::OllamaToken token;
  if (!token.read(line)) return;
  const auto parsed = tars::llm::JsonLine::of_this_thread().parse(line);
  if (!parsed || !parsed->is_object()) std::abort();
  const auto& object = parsed->get_object();
  const auto* const done = object.if_contains("done");
  if (done == nullptr || !done->is_bool() || done->get_bool()) std::abort();
  if (object.contains("error")) std::abort();
  const auto* const message = tars::llm::object_in(object, "message");
  const auto text = [&](const char* key) {
    return message == nullptr ? std::string_view() : tars::llm::text_in(*message, key);
  };
  if (text("content") != token.text()) std::abort();
  if (text("thinking").empty() == token.is_thought()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kOllama = tars::llm::make_ollama_dialect(0);
  static const auto kOpenAi = tars::llm::make_openai_dialect("");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto* dialect : {kOllama.get(), kOpenAi.get()}) {
    const Outcome whole = read(*dialect, bytes, size + 1);
    if (read(*dialect, bytes, 7) != whole || read(*dialect, bytes, size / 2 + 1) != whole) {
      std::abort();
    }
    if (whole.ended && whole.failed) std::abort();
    static_cast<void>(dialect->models(bytes));
  }
  compare_with_document(bytes);
  if (tars::llm::error_words(bytes).size() > 300) std::abort();
  return 0;
}

// What every source of generated text looks like: the model in this process, and servers behind
// HTTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace boost::asio {
class io_context;  // NOLINT(readability-identifier-naming): Boost's name
}

namespace tars::llm {

enum class Role { system, user, assistant };

// The word that chat templates and other servers know it by.
inline const char* name_of(Role role) {
  switch (role) {
    case Role::system: return "system";
    case Role::user: return "user";
    case Role::assistant: return "assistant";
  }
  return "user";
}

struct Message {
  Role role = Role::user;
  std::string content;
};

struct Sampling {
  float temperature = 0.7F;  // 0 = greedy
  float top_p = 0.9F;
  int top_k = 40;
  std::optional<std::uint32_t> seed = std::nullopt;  // none = a random one
  std::vector<std::string> stop = {};  // at most 4; the text stops before any of them
  int max_tokens = 2048;  // cut to what the context has left
};

// One generation. The last message is the one to answer; earlier turns may be dropped, oldest
// first, to fit the context.
struct Request {
  std::string run_id;
  std::string client = {};  // whose it is: clients share a backend that pauses() fairly
  std::string cache_key;  // requests of one conversation share it; a hint for the prefix cache
  std::string model;  // empty = the default
  std::vector<Message> messages;
  Sampling sampling;
  // For another server: the client's trace with a span of ours (W3C Trace Context); empty = none.
  std::string traceparent = {};
};

enum class FinishReason { stop, length, cancelled };

struct Completion {
  FinishReason reason = FinishReason::stop;
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of prompt_tokens, how many were not computed again
};

// Where a generation goes. All calls come from one thread at a time: the model's, or the I/O thread
// that the request lives on. None comes after on_done, and none may block. Exactly one on_done per
// accepted request.
class Sink {
 public:
  virtual ~Sink() = default;
  // The prompt has its place in the model: work begins.
  virtual void on_start(int prompt_tokens, int cached_tokens) = 0;
  // The answer leaves its place for another client's and goes on later, where it was: the next
  // token comes after a gap.
  virtual void on_pause() {}
  // One generated token. `text` is whole UTF-8 characters and may be empty: bytes of an unfinished
  // character, or text that may still become a stop sequence, come with a later token or with
  // on_done.
  virtual void on_token(std::string_view text) = 0;
  // Everything that this step of the model had for this sink has been said: wake readers now, once.
  virtual void on_step_end() = 0;
  // The end. `rest` is text held back until now (belongs to the last token). After an error the
  // tokens so far stand.
  virtual void on_done(std::string_view rest, Result<Completion> result) = 0;
};

enum class Health { healthy, starting, unhealthy };

struct Status {
  Health health = Health::starting;
  std::string detail;  // a sentence for people; empty when all is well
  std::string model;  // the name that `complete` reports
  int context_length = 0;  // tokens, prompt and answer together
  int slots = 1;  // generations that run at once
  int running = 0;
  // Where the model in this process computes; empty for the CPU alone, and for other servers.
  std::string device = {};  // for people: the maker's name and the memory, as it was before loading
  int gpu_layers = 0;  // of model_layers, the output layer included
  int model_layers = 0;
  // How long work has been waiting without any progress; 0 while there is progress or no work.
  std::chrono::milliseconds stalled{0};
};

struct NamedStatus {
  std::string name;
  Status status;
};

// Thread-safe. generate() never blocks on the model; it may take the time to tokenize the prompt.
class Backend {
 public:
  virtual ~Backend() = default;
  // Called once, before the first generate(), with the threads that the server's sockets live on.
  // A backend that talks to other servers does so there; they run until shutdown() has returned.
  virtual void start(const std::vector<boost::asio::io_context*>& contexts) {
    static_cast<void>(contexts);
  }
  // Never waits for the model or a server. Where several backends stand behind this one: the
  // default's.
  virtual Status status() const = 0;
  // Where several backends stand behind this one: each of them, the default first.
  virtual std::vector<NamedStatus> parts() const { return {}; }
  // What answers a request for `model`: the name that `complete` reports.
  virtual std::string resolve(const std::string& model) const {
    return model.empty() ? status().model : model;
  }
  // Whether it is known to have a model of that name.
  virtual bool has_model(const std::string& model) const { return model == status().model; }
  // What a request may carry as its model for that lane to answer: the names known now, at most
  // `most` of them.
  virtual std::vector<std::string> models(const std::string& lane, std::size_t most) const {
    static_cast<void>(lane);
    std::vector<std::string> out;
    if (std::string name = status().model; most > 0 && !name.empty()) out.push_back(name);
    return out;
  }
  // Which of the parts() answers a request for `model`, by name, and how many that part takes at
  // once; for a backend without parts the name is empty.
  virtual std::string lane(const std::string& model) const {
    static_cast<void>(model);
    return {};
  }
  // 0 for a lane of no part.
  virtual int slots(const std::string& lane) const {
    static_cast<void>(lane);
    return status().slots;
  }
  // Whether that lane takes more than slots(): it pauses answers of clients that have several for
  // a client that has none, as long as there are no more clients than slots.
  virtual bool pauses(const std::string& lane) const {
    static_cast<void>(lane);
    return false;
  }
  // Whether what answers in that lane is still being prepared here, which may take minutes: a run
  // had better wait for it where its place can be told.
  virtual bool is_loading(const std::string& lane) const {
    static_cast<void>(lane);
    return false;
  }
  // Tokens, prompt and answer together, of what answers in that lane; 0 = not known.
  virtual int context_length(const std::string& lane) const {
    static_cast<void>(lane);
    return status().context_length;
  }
  // Accepts (then `sink` gets exactly one on_done, also when stopped) or refuses with
  // model_not_found, context_overflow, backend_unavailable or overloaded (then `sink` gets
  // nothing). When `stop` is requested the work ends within one batch, in prompt processing too,
  // with FinishReason::cancelled.
  virtual Result<void> generate(Request request, std::shared_ptr<Sink> sink,
                                std::stop_token stop) = 0;
  // Stops all work, answers every sink, joins threads; blocks until then. Not from a sink, nor from
  // a thread of start()'s contexts. generate() refuses afterwards. Idempotent.
  virtual void shutdown() = 0;
};

}  // namespace tars::llm

// Several servers: who is asked next, who is left out for now, and what models they have together.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "llm/backend.h"
#include "llm/remote/dialect.h"
#include "net/client/endpoint.h"

namespace tars::llm {

// Whether a listed model is the one asked for: Ollama's "llama3" is its "llama3:latest".
bool is_named(std::string_view listed, std::string_view asked);
bool is_among(const std::vector<std::string>& listed, std::string_view asked);

// Puts what is new of `more` behind `names`.
void add_new(std::vector<std::string>& names, const std::vector<std::string>& more);

// Thread-safe. A host is unknown until something was heard of it; unknown hosts are asked behind
// those that work, failed ones only when no other is left. A host whose answers fail although it
// says that it is well rests: others are asked first for a while, longer with each failure in a
// row. One that does a thing at a time says nothing to a check while it works for us: it is silent
// then, which is no failure, and others are asked first.
class HostSet {
 public:
  explicit HostSet(std::vector<net::Endpoint> hosts);

  std::size_t size() const { return hosts_.size(); }
  const net::Endpoint& endpoint(std::size_t host) const { return hosts_.at(host).endpoint; }

  // The host with the fewest requests now, the first of several, without those in `tried`; one more
  // request counts on it until release(). One of which nothing is known yet comes after those that
  // work, one that lists other models but not `model` last.
  // nullopt when all were tried.
  std::optional<std::size_t> acquire(const std::vector<std::size_t>& tried, std::string_view model,
                                     SteadyTime now);
  void release(std::size_t host);

  // Whether the host works, as a request or a check found; true when that is news. nullopt: it does
  // not say what models it has, and those that it listed last stand.
  bool set_working(std::size_t host, std::optional<std::vector<std::string>> models,
                   SteadyTime now);
  // Something of an answer came from it. Takes no mutex: for every read of a stream.
  void heard(std::size_t host, SteadyTime now);
  // The beginning of time when never.
  SteadyTime heard_at(std::size_t host) const;
  void answer_given(std::size_t host);
  // It rests for as long as it asked at least, but no longer than 64 s.
  void answer_failed(std::size_t host, SteadyTime now, std::chrono::seconds asked = {});
  // The last answer that was asked of it came; false when none was asked yet.
  bool answered_well(std::size_t host) const;
  bool set_failed(std::size_t host, std::string why, SteadyTime now);
  // Something odd happened: check soon.
  void suspect(std::size_t host);
  bool is_failed(std::size_t host) const;
  // It did not answer a check while it had requests of ours; until it works, fails or
  // end_silence(). False where it has none, or was not known to work: then it is no silence.
  bool set_silent(std::size_t host);
  void end_silence(std::size_t host);
  // A request of ours is with it.
  bool is_busy(std::size_t host) const;
  // A host without those in `but` is known to work, rests not, and does not lack `model`.
  bool another_can(const std::vector<std::size_t>& but, std::string_view model,
                   SteadyTime now) const;
  // When it was last checked or failed; the beginning of time when never.
  SteadyTime checked_at(std::size_t host) const;

  // healthy while one host works, starting while none was heard of, else unhealthy.
  Health health() const;
  // What is wrong with each host that failed or is silent; "" when nothing is.
  std::string trouble() const;
  // Of all hosts that work, each once, the first host's first; where none does, of all.
  std::vector<std::string> models() const;
  // Whether the host listed it, the last time that it listed anything.
  bool has(std::size_t host, std::string_view model) const;
  std::vector<std::size_t> busy() const;
  // By which name the host wants to be asked; "" = its endpoint's.
  std::string name_for(std::size_t host) const;
  void set_name(std::size_t host, std::string name);
  // How the host wants requests for `model`, as far as it has said so. Remembered for 64 models of
  // each host; more push the others out.
  RequestForm form(std::size_t host, const std::string& model) const;
  void set_form(std::size_t host, const std::string& model, const RequestForm& form);

 private:
  enum class State { unknown, working, failed };
  struct Host {
    net::Endpoint endpoint;
    State state = State::unknown;
    bool silent = false;
    std::size_t busy = 0;
    std::string why = {};
    std::string name = {};
    std::vector<std::string> models = {};
    SteadyTime checked_at = {};
    bool answered = false;
    int failures = 0;  // of answers, in a row
    SteadyTime rests_until = {};
    std::map<std::string, RequestForm> forms = {};  // by model
  };

  static bool lacks(const Host& host, std::string_view model);
  static bool rests(const Host& host, SteadyTime now);

  mutable std::mutex mutex_;
  std::vector<Host> hosts_;  // never grows; the endpoints never change
  std::vector<std::atomic<SteadyTime>> heard_at_;  // of each host
};

}  // namespace tars::llm

// One answer from a model server, from the request to the last token.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "llm/backend.h"
#include "llm/remote/dialect.h"
#include "llm/remote/failure.h"
#include "llm/remote/host_set.h"
#include "llm/remote/options.h"
#include "llm/remote/text_mender.h"
#include "net/client/http_client.h"

namespace tars::llm {

// What the runs of one backend share; outlives them.
struct RemoteParts {
  const RemoteOptions& options;
  const Dialect& dialect;
  HostSet& hosts;
  const Clock& clock;
};

// Lives on its client's thread; cancel() there too. Keeps to the Sink's contract: one on_done,
// whatever happens. Hosts are tried in turn, and one whose kept connection broke once more on a new
// one, as long as no token was given; after that a failure ends the answer. Where a server says
// that the prompt is too long, the oldest turns are left out and it is asked again.
class RemoteRun : public std::enable_shared_from_this<RemoteRun>, private TextTarget {
 public:
  // `ended` is called once, just before on_done.
  RemoteRun(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context,
            Request request, std::string model, std::shared_ptr<Sink> sink,
            std::function<void()> ended);

  // From now on a stop cancels; from any thread, once, before serve().
  void watch(std::stop_token stop);
  boost::asio::awaitable<void> serve();
  // Closes the connection to the server now.
  void cancel();
  // The host says nothing: another that can answer is asked instead, once, unless a token came.
  void leave(std::size_t host);
  boost::asio::io_context& context() { return context_; }
  // The coroutine ended by an exception, which is logged; the sink is told internal.
  void fail(const std::exception_ptr& fault);

 private:
  boost::asio::awaitable<Result<Completion>> answer();
  boost::asio::awaitable<std::optional<Failure>> attempt(std::size_t host);
  boost::asio::awaitable<std::optional<Failure>> relay(std::size_t host, SteadyTime first_token_by);
  std::optional<Failure> take(std::string_view bytes);
  boost::asio::awaitable<Failure> read_refusal(std::size_t host);
  boost::asio::awaitable<void> read_to_end();
  void on_text(std::string_view text) override;
  void on_thought() override { begun_ = thought_ = true; }
  bool shorten();
  bool change_form(std::size_t host, const Failure& failure);
  void keep_form(std::size_t host);
  void end(Result<Completion> result);
  Completion cancelled() const;
  void note(std::size_t host, const Failure& failure);

  const RemoteParts from_;
  net::HttpClient& client_;
  boost::asio::io_context& context_;
  Request request_;
  const int wanted_tokens_;
  const std::string model_;
  const std::shared_ptr<Sink> sink_;
  std::function<void()> ended_;
  std::vector<std::size_t> tried_;
  std::optional<std::size_t> asked_;  // while a host's answer is waited for
  bool left_ = false;  // the host that was asked
  bool left_once_ = false;
  RequestForm form_;  // of the last request
  std::map<std::size_t, RequestForm> forms_;  // by host, where another than the kept one is tried
  std::size_t form_changes_ = 0;
  std::unique_ptr<AnswerReader> reader_;
  std::unique_ptr<net::Exchange> exchange_;
  TextMender text_;
  int tokens_ = 0;
  bool begun_ = false;  // the model generates, be it thoughts: no second time
  bool thought_ = false;  // since the last read
  bool whole_ = false;  // the reader has found its text whole
  std::size_t text_bytes_ = 0;
  bool cancelled_ = false;
  bool done_ = false;
  std::string refusal_;  // what the server said, without the key
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace tars::llm

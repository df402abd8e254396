// Asks every host, again and again, whether it works and what models it has.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "llm/remote/remote_run.h"

namespace tars::llm {

// On its client's thread, stop() too. All hosts are asked at the same time, so that one that hangs
// holds up no other.
class HostCheck {
 public:
  // `on_silent` is called, again and again, with a host that works for us and has not answered a
  // check for twice its time. It may hang, or do a thing at a time: meanwhile it is asked no more,
  // as each connection that nobody accepts takes a place from those who want an answer.
  using OnSilent = std::function<void(std::size_t host)>;
  HostCheck(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context,
            OnSilent on_silent);

  // Until stop(); one coroutine for each host. A fault is logged, and the host asked again after
  // the return interval.
  boost::asio::awaitable<void> watch(std::size_t host);
  void stop();

 private:
  struct Answer {
    Result<void> came;
    net::ResponseHead head = {};
    std::string body = {};  // without the key
  };
  boost::asio::awaitable<void> ask(std::size_t host);
  boost::asio::awaitable<Answer> ask_as(std::size_t host, std::string name);
  void judge(std::size_t host, const net::ResponseHead& head, const std::string& body);
  void set_working(std::size_t host, std::optional<std::vector<std::string>> models);
  bool may_keep_its_list(std::size_t host, unsigned status) const;
  void leave_out(std::size_t host, std::string why);
  bool attend_silence(std::size_t host);

  const RemoteParts from_;
  net::HttpClient& client_;
  std::vector<boost::asio::steady_timer> pauses_;  // one for each host
  const OnSilent on_silent_;
  std::vector<std::optional<SteadyTime>> silent_since_;  // when each was asked and said nothing
  bool stopped_ = false;
};

}  // namespace tars::llm

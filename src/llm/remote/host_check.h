// Asks every host, again and again, whether it works and what models it has.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "llm/remote/remote_run.h"

namespace tars::llm {

// On its client's thread, stop() too. All hosts are asked at the same time, so that one that hangs
// holds up no other.
class HostCheck {
 public:
  // `on_gone` is called with each host that cannot be reached, or that was silent twice in a row: a
  // server may be too busy with a prompt to say at once that it is well.
  using OnGone = std::function<void(std::size_t host)>;
  HostCheck(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context,
            OnGone on_gone);

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
  void leave_out(std::size_t host, const std::string& why);
  void note_silence(std::size_t host, const Failure& failure);

  const RemoteParts from_;
  net::HttpClient& client_;
  std::vector<boost::asio::steady_timer> pauses_;  // one for each host
  const OnGone on_gone_;
  std::vector<int> silent_;  // checks in a row that timed out, for each host
  bool stopped_ = false;
};

}  // namespace tars::llm

// Asks every host, again and again, whether it works and what models it has.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "llm/remote/remote_run.h"

namespace tars::llm {

// On its client's thread, stop() too. All hosts are asked at the same time, so that one that hangs
// holds up no other.
class HostCheck {
 public:
  HostCheck(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context);

  // Until stop(); one coroutine for each host.
  boost::asio::awaitable<void> watch(std::size_t host);
  void stop();

 private:
  boost::asio::awaitable<void> ask(std::size_t host);
  void judge(std::size_t host, const net::ResponseHead& head, const std::string& body);
  bool may_go_without_list(std::size_t host, unsigned status) const;
  void leave_out(std::size_t host, const std::string& why);

  const RemoteParts from_;
  net::HttpClient& client_;
  std::vector<boost::asio::steady_timer> pauses_;  // one for each host
  bool stopped_ = false;
};

}  // namespace tars::llm

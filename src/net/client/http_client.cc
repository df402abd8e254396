#include "net/client/http_client.h"

#include "net/client/client_state.h"

namespace tars::net {

HttpClient::HttpClient(boost::asio::io_context& context, ClientOptions options)
    : state_(std::make_shared<ClientState>(context, std::move(options))) {}

HttpClient::~HttpClient() { close(); }

std::unique_ptr<Exchange> HttpClient::open(const Endpoint& endpoint) {
  return std::make_unique<Exchange>(state_, endpoint);
}

void HttpClient::close() { state_->close(); }

std::size_t HttpClient::open_exchanges() const { return state_->exchanges(); }

std::size_t HttpClient::kept_connections() const { return state_->kept(); }

}  // namespace tars::net

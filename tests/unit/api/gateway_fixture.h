// A gateway over doubles, asked without sockets.
#pragma once

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>

#include "api/gateway.h"
#include "fakes.h"

namespace tars::api::testing {

class GatewayFixture : public ::testing::Test {
 protected:
  GatewayFixture() {
    auth::Claims claims;
    claims.client_id = "me";
    claims.family = "fam";
    claims.token_id = "tok";
    claims.expires_at = unix_seconds(clock_.wall()) + 3600;
    claims.good_until = claims.expires_at;
    tokens_.known.emplace("good", claims);
    claims.admin = true;
    tokens_.known.emplace("admin", claims);
    claims.type = auth::TokenType::refresh;
    tokens_.known.emplace("refresh", claims);
    tokens_.known.emplace("unreadable", make_error(ErrorCode::store_unavailable, "disk"));
  }

  Gateway& gateway() {
    if (!gateway_) {
      gateway_ = std::make_unique<Gateway>(tokens_, engine_, backend_, metrics_, clock_, options_);
    }
    return *gateway_;
  }

  static net::HttpRequest request(std::string method, std::string path, net::Headers headers = {},
                                  std::string body = {}) {
    net::HttpRequest out;
    out.method = std::move(method);
    out.target = out.path = std::move(path);
    out.headers = std::move(headers);
    out.body = std::move(body);
    out.remote_address = "127.0.0.1";
    out.request_id = "req-1";
    return out;
  }

  template <class T>
  T complete(boost::asio::awaitable<T> work) {
    std::optional<T> out;
    boost::asio::co_spawn(io_, std::move(work), [&out](std::exception_ptr fault, T value) {
      EXPECT_FALSE(fault);
      out.emplace(std::move(value));
    });
    io_.restart();
    io_.poll();
    return std::move(out.value());
  }

  net::HttpResponse ask(std::string method, std::string path, net::Headers headers = {},
                        std::string body = {}) {
    last_ = complete(gateway().handle(
        request(std::move(method), std::move(path), std::move(headers), std::move(body))));
    return last_;
  }
  net::HttpResponse post(std::string path, std::string body, net::Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    return ask("POST", std::move(path), std::move(headers), std::move(body));
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : last_.headers) {
      if (key == name) return value;
    }
    return {};
  }
  boost::json::object body() const {
    return boost::json::parse(std::string(last_.content())).as_object();
  }
  static net::Headers bearer(const std::string& token) {
    return {{"Authorization", "Bearer " + token}};
  }

  boost::asio::io_context io_;
  SystemClock clock_;
  Options options_;
  telemetry::Metrics metrics_;
  FakeTokens tokens_;
  FakeEngine engine_;
  FakeBackend backend_;
  std::unique_ptr<Gateway> gateway_;
  net::HttpResponse last_;
};

}  // namespace tars::api::testing

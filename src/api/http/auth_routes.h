// The /auth calls.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>

#include "api/http/call.h"
#include "api/http/route_table.h"
#include "api/options.h"
#include "api/ws/hub.h"
#include "auth/rate_limiter.h"
#include "auth/token_service.h"
#include "base/clock.h"

namespace tars::api {

// Owns the rate limiter; borrows the rest, which outlives it. Any thread.
class AuthRoutes {
 public:
  AuthRoutes(auth::TokenService& tokens, const Hub& hub, const Clock& clock,
             const Options& options);
  void add_to(RouteTable& table);

 private:
  void add_devices_to(RouteTable& table);

  using Answer = boost::asio::awaitable<Result<net::HttpResponse>>;
  Answer token(Call& call);
  Answer refresh(Call& call);
  Answer validate(Call& call);
  Answer revoke(Call& call);
  Answer devices(Call& call);
  Answer remove_device(Call& call);
  Answer health(Call& call);

  // What the token service answers once it is on the disk; store_unavailable when that takes too
  // long.
  template <class T>
  boost::asio::awaitable<Result<T>> stored(
      std::function<void(auth::TokenService::Callback<T>)> start) const;

  auth::TokenService& tokens_;
  const Hub& hub_;
  const Clock& clock_;
  const std::chrono::milliseconds patience_;
  auth::RateLimiter limiter_;
};

}  // namespace tars::api

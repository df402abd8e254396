// The bridge from callbacks of other threads to coroutines.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

#include "base/error.h"

namespace tars::api {

// Suspends the calling coroutine until the callback given to `start` is called, from any thread or
// from inside `start`, and resumes it on its own executor. When the coroutine is destroyed
// meanwhile, a late call finds nobody and is dropped with its value. The executor must outlive the
// callback.
template <class T>
boost::asio::awaitable<Result<T>> await_result(
    std::function<void(std::function<void(Result<T>)>)> start) {
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                 void(Result<T>)>(
      [&start, executor](auto handler) {
        // std::function wants a copyable target; the handler can only move.
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        start([waiting, executor](Result<T> result) {
          boost::asio::post(executor, [waiting, result = std::move(result)]() mutable {
            (*waiting)(std::move(result));
          });
        });
      },
      boost::asio::use_awaitable);
}

}  // namespace tars::api

// The bridge from callbacks of other threads to coroutines.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
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

// A coroutine that waits for one of two: the answer or the end of its patience. On its executor.
template <class T, class Handler>
struct PatientWait {
  explicit PatientWait(Handler h) : handler(std::move(h)) {}

  void end(Result<T> result) {
    if (std::exchange(ended, true)) return;
    if (const auto running = timer.lock()) running->cancel();
    Handler resume = std::move(handler);  // nothing of the coroutine stays with a late answer
    resume(std::move(result));
  }

  Handler handler;
  std::weak_ptr<boost::asio::steady_timer> timer;  // its own wait owns it: no other thread may
  bool ended = false;
};

// The same for no longer than `patience`: then it answers ErrorCode::timeout, and an answer that
// comes later is dropped with its value.
template <class T>
boost::asio::awaitable<Result<T>> await_result(
    std::function<void(std::function<void(Result<T>)>)> start,
    std::chrono::steady_clock::duration patience) {
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                 void(Result<T>)>(
      [&start, executor, patience](auto handler) {
        auto waiting = std::make_shared<PatientWait<T, decltype(handler)>>(std::move(handler));
        const auto timer = std::make_shared<boost::asio::steady_timer>(executor, patience);
        waiting->timer = timer;
        timer->async_wait([waiting, timer](boost::system::error_code) {
          waiting->end(make_error(ErrorCode::timeout, "no answer in time"));
        });
        start([waiting, executor](Result<T> result) {
          boost::asio::post(executor, [waiting, result = std::move(result)]() mutable {
            waiting->end(std::move(result));
          });
        });
      },
      boost::asio::use_awaitable);
}

}  // namespace tars::api

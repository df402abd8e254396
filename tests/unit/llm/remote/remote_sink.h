// A sink that counts, and a way to run a context until it has heard the end.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>

#include "llm/backend.h"

namespace tars::llm::testing {

// For one thread: the one that runs the context.
struct RemoteSink final : Sink {
  void on_start(int, int) override { ++starts; }
  void on_token(std::string_view) override { ++tokens; }
  void on_step_end() override {}
  void on_done(std::string_view, Result<Completion> result) override {
    ++dones;
    outcome = std::move(result);
  }

  int starts = 0;
  int tokens = 0;
  int dones = 0;
  std::optional<Result<Completion>> outcome;
};

inline void run_until_done(boost::asio::io_context& context, const RemoteSink& sink) {
  while (sink.dones == 0 && context.run_one_for(std::chrono::seconds(20)) > 0) {
  }
}

}  // namespace tars::llm::testing

// The composition root: builds every object of the server, runs it, takes it down.
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "api/gateway.h"
#include "app/control/control_server.h"
#include "app/open_backends.h"
#include "app/service/service_notify.h"
#include "auth/token_service.h"
#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/error.h"
#include "chat/engine.h"
#include "config/settings.h"
#include "llm/backend.h"
#include "net/server.h"
#include "store/database.h"
#include "telemetry/metrics.h"

namespace tars::app {

// Owns everything, in the order in which it may go: what is declared later is destroyed first.
// build() and run() belong to one thread; request_stop() and port() may be called from any.
class Program {
 public:
  // Locks the data folder, makes missing secrets, opens the databases, starts loading the model and
  // listens. config_error with one line naming the option and the fix.
  static Result<std::unique_ptr<Program>> build(config::Settings settings,
                                                const OpenBackend& open_backend);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Serves until SIGTERM, SIGINT or request_stop(), then drains: no new work, running answers go on
  // for at most DRAIN_SECONDS and are kept as partial after that, sockets close with 1001. Lines
  // for people go to `out`. The service manager hears when it is ready (or waits for a model server
  // and serves all else), when it stops, and that decoding gets on. config_error naming MODEL_PATH
  // when the model cannot be loaded that is the default; a model server that does not answer is
  // waited for.
  Result<void> run(std::ostream& out, const ServiceNotify& notify = ServiceNotify());
  void request_stop();
  std::uint16_t port() const { return server_->port(); }

 private:
  explicit Program(config::Settings settings);
  Result<void> open_folder();
  Result<void> open_stores();
  Result<void> open_control();
  RunningServer describe() const;
  void start_backends();
  Result<void> wait_for_stop(std::ostream& out, const ServiceNotify& notify);
  void say(std::ostream& out, const std::string& text) const;
  bool is_stop(std::optional<int> signal);
  void note_signal(int signal);
  // Why the default model, in this process, can never answer; nullopt while it may.
  std::optional<std::string> model_failure() const;
  void drain();
  void wait_for_runs(SteadyTime deadline) const;
  void wait_for_sockets(SteadyTime deadline) const;
  Result<void> shut_down();
  std::string url() const;

  config::Settings settings_;
  std::optional<std::string> fresh_enrollment_key_;  // shown once
  const SystemClock clock_;
  BoundedQueue<int> stops_{8};  // signal numbers; 0 = request_stop()
  telemetry::Metrics metrics_;
  bool is_shut_down_ = false;
  std::optional<store::FolderLock> lock_;  // before what it guards, so that it goes after it
  std::unique_ptr<auth::TokenService> tokens_;
  std::unique_ptr<llm::Backend> backend_;
  std::unique_ptr<chat::Engine> engine_;
  std::unique_ptr<api::Gateway> gateway_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<ControlServer> control_;
};

}  // namespace tars::app

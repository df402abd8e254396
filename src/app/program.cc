#include "app/program.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>
#include <utility>

#include "app/backup/restore.h"
#include "app/check_files.h"
#include "app/control/control_desk.h"
#include "app/open_secrets.h"
#include "app/repeated_signal.h"
#include "app/service/watchdog.h"
#include "app/stop_signals.h"
#include "llm/backend_names.h"
#include "telemetry/build_info.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

using namespace std::chrono_literals;
using telemetry::LogLevel;

constexpr auto kModelPoll = 20ms;       // how often the loading model is asked
constexpr auto kDrainPoll = 10ms;       // how often a drain looks whether it is done
constexpr auto kLastFrameGrace = 1s;   // for what the sockets still have to send
constexpr auto kSocketGrace = 3s;      // for close handshakes after that
constexpr auto kConnectionGrace = 1s;   // for HTTP answers on their way

Error model_error(const std::string& detail) {
  return make_error(ErrorCode::config_error,
                    detail.starts_with("MODEL_PATH") ? detail : "MODEL_PATH: " + detail);
}

}  // namespace

Program::Program(config::Settings settings) : settings_(std::move(settings)) {}

Result<std::unique_ptr<Program>> Program::build(config::Settings settings,
                                                const OpenBackend& open_backend) {
  std::unique_ptr<Program> program(new Program(std::move(settings)));
  config::Settings& s = program->settings_;
  if (auto opened = program->open_folder(); !opened) return opened.error();
  Result<std::unique_ptr<llm::Backend>> backend =
      open_backends(s, open_backend, program->clock_, program->metrics_);
  if (!backend) return backend.error();
  program->backend_ = *std::move(backend);
  if (auto opened = program->open_stores(); !opened) return opened.error();
  s.api.version = telemetry::version();
  program->gateway_ =
      std::make_unique<api::Gateway>(*program->tokens_, *program->engine_, *program->backend_,
                                     program->metrics_, program->clock_, s.api);
  program->server_ = std::make_unique<net::Server>(s.server, *program->gateway_);
  if (auto listening = program->server_->listen(); !listening) return listening.error();
  if (auto opened = program->open_control(); !opened) return opened.error();
  return program;
}

Program::~Program() { (void)shut_down(); }

Result<void> Program::open_folder() {
  Result<store::FolderLock> lock =
      store::FolderLock::acquire(settings_.data_dir, store::FolderLock::kPatience);
  if (!lock) return lock.error();
  lock_.emplace(*std::move(lock));
  if (auto finished = finish_restore(settings_.data_dir); !finished) return finished.error();
  if (auto opened = open_secret_key(settings_); !opened) return opened.error();
  auto fresh = open_enrollment_key(settings_);
  if (!fresh) return fresh.error();
  fresh_enrollment_key_ = *std::move(fresh);
  return {};
}

Result<void> Program::open_stores() {
  auto tokens = auth::TokenService::open(settings_.data_dir / "auth.db", settings_.auth, clock_);
  if (!tokens) return tokens.error();
  tokens_ = *std::move(tokens);
  auto engine = chat::Engine::open(settings_.data_dir / "chat.db", settings_.chat, *backend_,
                                   clock_, metrics_);
  if (!engine) return engine.error();
  engine_ = *std::move(engine);
  return {};
}

Result<void> Program::open_control() {
  ControlDesk desk({*tokens_, clock_,
                    [this](const std::string& client_id, const std::string& family) {
                      return gateway_->sockets_of(client_id, family);
                    },
                    [this] { return describe(); }});
  auto control = ControlServer::listen(server_->context(), settings_.data_dir, std::move(desk));
  if (!control) return control.error();
  control_ = *std::move(control);
  return {};
}

RunningServer Program::describe() const {
  RunningServer out{
      .version = settings_.api.version, .model_path = {}, .device = {}, .backends = {}};
  for (const llm::NamedStatus& part : backend_->parts()) {
    out.backends.push_back({part.name, part.status.model});
    if (part.name != llm::kEmbeddedBackend || part.status.health == llm::Health::unhealthy)
      continue;
    // A relative path is the server's, not the asker's.
    std::error_code error;
    out.model_path = std::filesystem::absolute(settings_.llm.model_path, error).string();
    out.device = part.status.device.empty() ? "CPU" : part.status.device;
  }
  return out;
}

std::string Program::url() const {
  const std::string& host = settings_.server.host;
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (server_->is_secure() ? "https://" : "http://") + shown + ":" + std::to_string(port());
}

Result<void> Program::run(std::ostream& out, const ServiceNotify& notify) {
  const Watchdog watchdog(server_->context(), notify, *backend_, settings_.api.stalled_after);
  const RepeatedSignal log_rotation(server_->context(), SIGUSR1, &telemetry::reopen_log_file);
  // Before anybody is answered, and until the server's threads have ended, which call it.
  const StopSignals signals(server_->context(), [this](int signal) { note_signal(signal); });
  server_->start();
  start_backends();
  std::ostringstream text;
  text << "T.A.R.S. " << telemetry::version() << " listens on " << url() << "\n"
       << "  data   " << settings_.data_dir.string() << "\n";
  describe_backends(settings_, text);
  // Where it is, each time: a first start that failed later has shown it to nobody.
  if (settings_.make_enrollment_key && !fresh_enrollment_key_) {
    text << "  enrolment by the key in " << (settings_.data_dir / kEnrollmentKeyFile).string()
         << "\n";
  }
  say(out, text.str());
  // No part of a log, whatever that looks like: it may be kept.
  if (fresh_enrollment_key_) {
    out << "  enrolment key, shown this once: " << *fresh_enrollment_key_ << std::endl;
    fresh_enrollment_key_.reset();
  }
  const Result<void> ended = wait_for_stop(out, notify);
  notify.stopping();
  if (ended) drain();
  const Result<void> kept = shut_down();
  return ended ? kept : ended;
}

// Where the log is JSON, everything that the process says is: a collector reads line by line.
void Program::say(std::ostream& out, const std::string& text) const {
  if (settings_.log_format == telemetry::LogFormat::text) {
    out << text << std::flush;
    return;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    telemetry::log(LogLevel::info, line.substr(std::min(line.find_first_not_of(' '), line.size())));
  }
}

void Program::start_backends() {
  const auto threads = static_cast<std::size_t>(std::max(1, settings_.server.io_threads));
  std::vector<boost::asio::io_context*> contexts;
  contexts.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) contexts.push_back(&server_->context(i));
  backend_->start(contexts);
}

// A model server may come back; a file that cannot be loaded stays so. Beside another default the
// rest goes on without it: when it fails must not decide.
std::optional<std::string> Program::model_failure() const {
  for (const llm::NamedStatus& part : backend_->parts()) {
    if (part.name == llm::kEmbeddedBackend && part.name == settings_.api.backend &&
        part.status.health == llm::Health::unhealthy) {
      return part.status.detail;
    }
  }
  return std::nullopt;
}

// Announces the model when it is there, then waits for a reason to stop.
Result<void> Program::wait_for_stop(std::ostream& out, const ServiceNotify& notify) {
  bool told = false;
  while (true) {
    if (const auto why = model_failure()) return model_error(*why);
    const llm::Status status = backend_->status();
    if (status.health == llm::Health::healthy) {
      std::ostringstream text;
      text << "ready: " << url() << " · model " << status.model;
      if (status.context_length > 0) text << ", context " << status.context_length << " tokens";
      text << ", " << status.slots << " answers at once · data " << settings_.data_dir.string()
           << "\n";
      say(out, text.str());
      const std::string ready = "model " + status.model;
      notify.ready(ready);
      for (auto signal = stops_.pop(); true; signal = stops_.pop()) {
        if (signal == SIGHUP) notify.reloading();
        if (is_stop(signal)) return {};
        notify.ready(ready);
      }
    }
    if (status.health == llm::Health::unhealthy && !std::exchange(told, true)) {
      say(out, "not ready yet: " + status.detail + "\n");
      notify.ready("waiting for a model server: " + status.detail);
    }
    const auto signal = stops_.pop_until(std::chrono::steady_clock::now() + kModelPoll);
    if (signal && is_stop(signal)) return {};
  }
}

// SIGHUP stops nothing: what may change while the server runs is read again.
bool Program::is_stop(std::optional<int> signal) {
  if (signal != SIGHUP) return true;
  if (!server_->is_secure()) {
    telemetry::log(LogLevel::info, "SIGHUP: there is no certificate to read again");
  } else if (const auto reloaded = server_->reload_certificate(); !reloaded) {
    telemetry::log(LogLevel::error, "the certificate stays as it was",
                   {{"error", reloaded.error().message}});
  } else {
    // What renews it may leave other rights.
    for (const std::string& warning : file_warnings(settings_)) {
      telemetry::log(LogLevel::warning, warning);
    }
  }
  return false;
}

// While one is answered, which a disk may hold up, others come. A SIGHUP behind another request
// asks for nothing more, and must not take the place of a stop; a stop that finds no place has
// others before it.
void Program::note_signal(int signal) {
  if (signal == SIGHUP && stops_.size() > 0) return;
  (void)stops_.try_push(signal);
}

void Program::request_stop() { note_signal(0); }

void Program::drain() {
  const chat::Counts counts = engine_->counts();
  telemetry::log(LogLevel::info, "draining",
                 {{"running", counts.running},
                  {"waiting", counts.waiting},
                  {"sockets", gateway_->open_sockets()},
                  {"seconds", settings_.drain.count()}});
  const SteadyTime deadline = clock_.steady() + settings_.drain;
  engine_->drain();
  gateway_->begin_drain();
  wait_for_runs(deadline);
}

void Program::wait_for_runs(SteadyTime deadline) const {
  while (clock_.steady() < deadline) {
    if (engine_->is_drained()) return;
    std::this_thread::sleep_for(kDrainPoll);
  }
}

void Program::wait_for_sockets(SteadyTime deadline) const {
  while (gateway_->open_sockets() > 0 && clock_.steady() < deadline) {
    std::this_thread::sleep_for(kDrainPoll);
  }
}

// The order matters: the engine and the tokens end while the server still runs, because their last
// callbacks post to its threads. Every wait has an end but those for the threads that write the
// databases, which last as long as a disk that hangs does. The folder stays locked until the
// databases are closed, after this: SQLite's last close removes the log beside each by its name,
// which would be that of whoever has the folder by then.
Result<void> Program::shut_down() {
  Result<void> kept;
  if (std::exchange(is_shut_down_, true)) return kept;
  control_.reset();
  if (engine_) kept = engine_->shutdown();
  if (server_ && gateway_) {
    // While draining, sockets close by themselves once their last frame is out.
    wait_for_sockets(clock_.steady() + kLastFrameGrace);
    gateway_->close_all(net::CloseCode::going_away, "server_shutdown");
    wait_for_sockets(clock_.steady() + kSocketGrace);
  }
  if (tokens_) tokens_->shutdown();
  if (backend_) backend_->shutdown();
  if (server_) server_->stop(kConnectionGrace);
  return kept;
}

}  // namespace tars::app

#include "telemetry/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "telemetry/build_info.h"
#include "telemetry/log.h"

namespace tars::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

const Histogram::BucketBoundaries kRequestSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};
const Histogram::BucketBoundaries kFirstTokenSeconds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                        1,    2.5,   5,    10,  30,   120};
const Histogram::BucketBoundaries kInterTokenSeconds = {
    0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};
const Histogram::BucketBoundaries kWaitSeconds = {0.001, 0.01, 0.05, 0.1, 0.25, 0.5,
                                                  1,     2.5,  5,    15,  60,   300};
const Histogram::BucketBoundaries kStopSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,   0.25,   0.5,   1,    5};

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Counter& counter(Registry& registry, const char* name, const char* help) {
  return counters(registry, name, help).Add({});
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return gauges(registry, name, help).Add({});
}

Histogram& histogram(Registry& registry, const char* name, const char* help,
                     const Histogram::BucketBoundaries& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// Both come from the peer; a closed set keeps the number of time series bounded.
std::string_view method_label(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kKnown = {"GET",   "HEAD",   "POST",   "PUT",
                                                             "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(kKnown, method) != kKnown.end() ? method : "other";
}

std::string close_label(unsigned code) {
  return code >= 1000 && code <= 1015 ? std::to_string(code) : "other";
}

void add_build_info(Registry& registry) {
  prometheus::BuildGauge()
      .Name("tars_build_info")
      .Help("Always 1; the labels tell which build this is.")
      .Register(registry)
      .Add({{"version", std::string(version())}, {"compiler", std::string(compiler())}})
      .Set(1);
}

prometheus::MetricFamily process_figure(const char* name, const char* help,
                                        prometheus::MetricType type, double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
  return family;
}

void add_process_figures(std::vector<prometheus::MetricFamily>& families,
                         const ProcessStats& stats) {
  using prometheus::MetricType;
  families.push_back(process_figure("tars_process_resident_memory_bytes",
                                    "Resident memory size in bytes.", MetricType::Gauge,
                                    static_cast<double>(stats.resident_bytes)));
  families.push_back(process_figure("tars_process_cpu_seconds_total",
                                    "Total user and system CPU time spent in seconds.",
                                    MetricType::Counter, stats.cpu_seconds));
  families.push_back(process_figure("tars_process_open_fds", "Number of open file descriptors.",
                                    MetricType::Gauge, static_cast<double>(stats.open_fds)));
  families.push_back(process_figure("tars_process_start_time_seconds",
                                    "Start time of the process since 1970 in seconds.",
                                    MetricType::Gauge, stats.start_time_seconds));
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_unique<Registry>()),
      requests_(counters(*registry_, "tars_http_requests_total", "HTTP requests answered.")),
      request_seconds_(prometheus::BuildHistogram()
                           .Name("tars_http_request_duration_seconds")
                           .Help("From the last byte of the request to the answer's first.")
                           .Register(*registry_)),
      closes_(counters(*registry_, "tars_websocket_closes_total",
                       "WebSocket connections ended, by close code.")),
      runs_(counters(*registry_, "tars_runs_total", "Runs ended or refused, by outcome.")),
      tokens_(
          counters(*registry_, "tars_tokens_total",
                   "Tokens by kind; cached ones are prompt tokens that were not computed again.")),
      backend_up_(gauges(*registry_, "tars_backend_up", "1 where the backend can answer.")),
      backend_runs_(gauges(*registry_, "tars_backend_runs", "Runs that the backend works on.")),
      websocket_messages(
          counter(*registry_, "tars_websocket_messages_total", "Messages from clients.")),
      websocket_errors(
          counter(*registry_, "tars_websocket_errors_total", "Error frames sent to clients.")),
      websocket_accepted(
          counter(*registry_, "tars_websocket_connections_total",
                  "WebSockets opened, those that were closed at once for their token included.")),
      websocket_connections(
          gauge(*registry_, "tars_websocket_connections", "WebSocket sessions open now.")),
      tokens_prompt(tokens_.Add({{"kind", "prompt"}})),
      tokens_cached(tokens_.Add({{"kind", "cached"}})),
      tokens_generated(tokens_.Add({{"kind", "generated"}})),
      prefix_hits(counter(*registry_, "tars_kv_prefix_hits_total",
                          "Runs whose prompt began with text the model still held.")),
      pauses(counter(*registry_, "tars_run_pauses_total",
                     "Answers that left their place in the model for another client's.")),
      runs_running(gauge(*registry_, "tars_runs_running", "Runs generating now.")),
      runs_waiting(gauge(*registry_, "tars_runs_waiting", "Runs waiting for their turn.")),
      time_to_first_token(histogram(*registry_, "tars_time_to_first_token_seconds",
                                    "From the accepted message to the first token.",
                                    kFirstTokenSeconds)),
      inter_token(histogram(*registry_, "tars_inter_token_seconds",
                            "Between two tokens of one run.", kInterTokenSeconds)),
      queue_wait(histogram(*registry_, "tars_queue_wait_seconds",
                           "From the accepted message to the start of the model's work.",
                           kWaitSeconds)),
      stop_to_idle(histogram(*registry_, "tars_stop_to_idle_seconds",
                             "From a cancel to the end of the model's work on that run.",
                             kStopSeconds)),
      model_gpu_layers(gauge(*registry_, "tars_model_gpu_layers",
                             "Layers of the model in this process that a GPU computes.")),
      index_lag(gauge(*registry_, "tars_index_lag_seconds",
                      "Age of the oldest change to a document that is not indexed yet.")) {
  add_build_info(*registry_);
  // Known outcomes show as 0 before the first of them, so that a rate over them is right.
  for (const char* outcome : {"complete", "cancelled", "failed", "interrupted", "refused"}) {
    runs_.Add({{"outcome", outcome}});
  }
}

void Metrics::count_request(std::string_view route, std::string_view method, unsigned status,
                            double seconds) {
  const RequestSeries series = request_series(route, method_label(method), status);
  series.count.Increment();
  series.seconds.Observe(seconds);
}

Metrics::RequestSeries Metrics::request_series(std::string_view route, std::string_view method,
                                               unsigned status) {
  std::lock_guard lock(requests_mutex_);
  if (const auto found = request_series_.find(std::tuple(route, method, status));
      found != request_series_.end()) {
    return found->second;
  }
  const std::string route_text(route);
  const std::string method_text(method);
  const RequestSeries series{
      requests_.Add(
          {{"route", route_text}, {"method", method_text}, {"status", std::to_string(status)}}),
      request_seconds_.Add({{"route", route_text}}, kRequestSeconds)};
  request_series_.emplace(std::tuple(route_text, method_text, status), series);
  return series;
}

void Metrics::count_websocket_close(unsigned code, std::string_view reason) {
  closes_.Add({{"code", close_label(code)}, {"reason", std::string(reason)}}).Increment();
}

void Metrics::set_backend(const std::string& kind, bool up, int running) {
  backend_up_.Add({{"backend", kind}}).Set(up ? 1 : 0);
  backend_runs_.Add({{"backend", kind}}).Set(running);
}

void Metrics::count_run(std::string_view outcome) {
  runs_.Add({{"outcome", std::string(outcome)}}).Increment();
}

std::string Metrics::text() {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  add_process_figures(families, process_stats_.at(std::chrono::steady_clock::now()));
  families.push_back(process_figure(
      "tars_log_lines_lost_total", "Log lines that their file or reader did not take.",
      prometheus::MetricType::Counter, static_cast<double>(lost_log_lines())));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tars::telemetry

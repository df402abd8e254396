// The process's metrics, one struct with a member each, so that a name is written once.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "telemetry/process_stats.h"

namespace tars::telemetry {

// Owns the registry. Created once by app/ and passed by reference. Thread-safe. Names begin with
// tars_, base units, no client or path text as labels.
class Metrics {
  struct RequestSeries {
    prometheus::Counter& count;
    prometheus::Histogram& seconds;
  };

  // First, because the references below point into it.
  const std::unique_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& request_seconds_;
  prometheus::Family<prometheus::Counter>& closes_;
  prometheus::Family<prometheus::Counter>& runs_;
  prometheus::Family<prometheus::Counter>& tokens_;
  prometheus::Family<prometheus::Gauge>& backend_up_;
  prometheus::Family<prometheus::Gauge>& backend_runs_;

 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Labels: route = the route table's path pattern or "other"; status = the code.
  void count_request(std::string_view route, std::string_view method, unsigned status,
                     double seconds);
  // `reason` is a word of this program; empty where the peer closed.
  void count_websocket_close(unsigned code, std::string_view reason);
  void count_run(std::string_view outcome);  // complete, cancelled, failed, interrupted, refused
  // A backend by its kind (embedded, ollama, openai): tars_backend_up, tars_backend_runs.
  void set_backend(const std::string& kind, bool up, int running);

  prometheus::Counter& websocket_messages;  // tars_websocket_messages_total, from clients
  prometheus::Counter& websocket_errors;  // tars_websocket_errors_total, error frames sent
  prometheus::Counter& websocket_accepted;  // tars_websocket_connections_total
  prometheus::Gauge& websocket_connections;  // tars_websocket_connections
  prometheus::Counter& tokens_prompt;  // tars_tokens_total{kind="prompt"}
  prometheus::Counter& tokens_cached;  // tars_tokens_total{kind="cached"}
  prometheus::Counter& tokens_generated;  // tars_tokens_total{kind="generated"}
  prometheus::Counter& prefix_hits;  // tars_kv_prefix_hits_total
  prometheus::Counter& pauses;  // tars_run_pauses_total
  prometheus::Gauge& runs_running;  // tars_runs_running
  prometheus::Gauge& runs_waiting;  // tars_runs_waiting
  prometheus::Histogram& time_to_first_token;  // tars_time_to_first_token_seconds
  prometheus::Histogram& inter_token;  // tars_inter_token_seconds
  prometheus::Histogram& queue_wait;  // tars_queue_wait_seconds
  prometheus::Histogram& stop_to_idle;  // tars_stop_to_idle_seconds
  prometheus::Gauge& model_gpu_layers;  // tars_model_gpu_layers
  prometheus::Gauge& index_lag;  // tars_index_lag_seconds

  // Prometheus text, process figures (RSS, CPU, descriptors) of the last second.
  std::string text();

 private:
  RequestSeries request_series(std::string_view route, std::string_view method, unsigned status);

  // The series by route, method and status: looking them up by labels costs more than counting.
  std::mutex requests_mutex_;
  std::map<std::tuple<std::string, std::string, unsigned>, RequestSeries, std::less<>>
      request_series_;
  RecentProcessStats process_stats_;
};

}  // namespace tars::telemetry

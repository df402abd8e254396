#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>
#include <vector>

namespace tars::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountsUnderTheNamesOfTheContract) {
  Metrics metrics;
  metrics.count_request("/health", "GET", 200, 0.003);
  metrics.count_websocket_close(1001, "idle_timeout");
  metrics.count_run("complete");
  metrics.tokens_generated.Increment(7);
  metrics.websocket_connections.Set(2);
  metrics.inter_token.Observe(0.01);
  const std::string text = metrics.text();
  EXPECT_THAT(
      text,
      HasSubstr("tars_http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 1"));
  EXPECT_THAT(text, HasSubstr("tars_http_request_duration_seconds_count{route=\"/health\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("tars_websocket_closes_total{code=\"1001\",reason=\"idle_timeout\"} 1"));
  EXPECT_THAT(text, HasSubstr("tars_runs_total{outcome=\"complete\"} 1"));
  EXPECT_THAT(text, HasSubstr("tars_runs_total{outcome=\"failed\"} 0"));
  EXPECT_THAT(text, HasSubstr("tars_tokens_total{kind=\"generated\"} 7"));
  EXPECT_THAT(text, HasSubstr("tars_websocket_connections 2"));
  EXPECT_THAT(text, HasSubstr("tars_inter_token_seconds_count 1"));
  EXPECT_THAT(text, HasSubstr("tars_build_info{"));
}

TEST(Metrics, TextOfAPeerBecomesNoLabel) {
  Metrics metrics;
  metrics.count_request("other", "EVIL\"\n", 400, 0);
  metrics.count_websocket_close(4999, "");
  const std::string text = metrics.text();
  EXPECT_THAT(text, Not(HasSubstr("EVIL")));
  EXPECT_THAT(text, HasSubstr("method=\"other\""));
  EXPECT_THAT(text, HasSubstr("tars_websocket_closes_total{code=\"other\",reason=\"\"} 1"));
}

TEST(Metrics, BackendsShowWhetherTheyAnswer) {
  Metrics m;
  m.set_backend("embedded", true, 3);
  m.set_backend("ollama", true, 1);
  m.set_backend("ollama", false, 0);
  const std::string text = m.text();
  EXPECT_NE(text.find("tars_backend_up{backend=\"embedded\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("tars_backend_runs{backend=\"embedded\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("tars_backend_up{backend=\"ollama\"} 0\n"), std::string::npos);
}

TEST(Metrics, ProcessFiguresAreReadAtTheScrape) {
  Metrics metrics;
  const std::string text = metrics.text();
  for (const char* name : {"tars_process_resident_memory_bytes ", "tars_process_cpu_seconds_total ",
                           "tars_process_open_fds ", "tars_process_start_time_seconds ",
                           "tars_log_lines_lost_total "}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name));
  }
  EXPECT_THAT(text, HasSubstr("# TYPE tars_process_cpu_seconds_total counter"));
}

TEST(Metrics, OursBeginWithTheProgramsName) {
  Metrics metrics;
  std::istringstream lines(metrics.text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    EXPECT_TRUE(line.starts_with("tars_")) << line;
  }
}

TEST(Metrics, SeveralMayCountAtOnce) {
  Metrics metrics;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) metrics.count_run("cancelled");
    });
  }
  threads.clear();
  EXPECT_THAT(metrics.text(), HasSubstr("tars_runs_total{outcome=\"cancelled\"} 1000"));
}

}  // namespace
}  // namespace tars::telemetry

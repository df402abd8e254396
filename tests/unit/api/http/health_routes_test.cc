#include "api/http/health_routes.h"

#include "../gateway_fixture.h"

namespace tars::api {
namespace {

class HealthRoutesTest : public testing::GatewayFixture {};

TEST_F(HealthRoutesTest, HealthAsksNobody) {
  backend_.now.health = llm::Health::unhealthy;
  EXPECT_EQ(ask("GET", "/health").status, 200U);
  EXPECT_EQ(body().at("status").as_string(), "healthy");
  EXPECT_EQ(ask("GET", "/auth/health").status, 200U);
  EXPECT_EQ(body().at("service").as_string(), "authentication");
}

TEST_F(HealthRoutesTest, ReadyWhenAllIsWell) {
  EXPECT_EQ(ask("GET", "/ready").status, 200U);
  EXPECT_EQ(body().at("status").as_string(), "ready");
  EXPECT_EQ(body().at("checks").at("embedding_model").as_string(), "disabled");
}

TEST_F(HealthRoutesTest, NotReadyForEachTrouble) {
  const auto failing = [this](const char* check) {
    EXPECT_EQ(ask("GET", "/ready").status, 503U) << check;
    EXPECT_EQ(body().at("status").as_string(), "not_ready");
    EXPECT_EQ(body().at("checks").at(check).as_string(), "unhealthy");
    EXPECT_FALSE(body().at("details").at(check).at("detail").as_string().empty());
    EXPECT_FALSE(header("Retry-After").empty());
  };
  backend_.now.health = llm::Health::starting;
  failing("ollama");
  backend_.now.health = llm::Health::healthy;
  backend_.now.stalled = std::chrono::seconds(30);
  failing("ollama");
  backend_.now.stalled = {};
  engine_.store = make_error(ErrorCode::store_unavailable, "disk full");
  failing("store");
  engine_.store = Result<void>();
  tokens_.health = make_error(ErrorCode::store_unavailable, "disk full");
  failing("tokens");
}

TEST_F(HealthRoutesTest, EveryDetailHasItsCheckAndABackendBesideTheDefaultDoesNotDecide) {
  backend_.several = {{"embedded", backend_.now}, {"ollama", llm::Status{}}};
  EXPECT_EQ(ask("GET", "/ready").status, 200U);
  const boost::json::object ready = body();
  const boost::json::object& checks = ready.at("checks").as_object();
  EXPECT_EQ(checks.at("backend_ollama").as_string(), "unhealthy");
  EXPECT_EQ(checks.at("backend_embedded").as_string(), "healthy");
  for (const auto& [name, detail] : ready.at("details").as_object()) {
    ASSERT_TRUE(checks.contains(name)) << name;
    EXPECT_EQ(detail.at("status"), checks.at(name));
    EXPECT_TRUE(detail.at("latency_ms").is_number());
  }
}

TEST_F(HealthRoutesTest, TheModelInTheProcessTellsWhereItComputes) {
  llm::Status on_gpu = backend_.now;
  on_gpu.device = "NVIDIA H100 80GB HBM3, 79 GiB";
  on_gpu.gpu_layers = 20;
  on_gpu.model_layers = 31;
  llm::Status on_cpu = backend_.now;
  on_cpu.model_layers = 31;
  backend_.several = {{"embedded", on_gpu}, {"second", on_cpu}, {"ollama", backend_.now}};
  ask("GET", "/ready");
  const boost::json::object details = body().at("details").as_object();
  EXPECT_EQ(details.at("backend_embedded").at("device").as_string(), on_gpu.device);
  EXPECT_EQ(details.at("backend_embedded").at("gpu_layers").as_int64(), 20);
  EXPECT_EQ(details.at("backend_embedded").at("model_layers").as_int64(), 31);
  EXPECT_EQ(details.at("backend_second").at("device").as_string(), "CPU");
  EXPECT_FALSE(details.at("backend_ollama").as_object().contains("device"));
}

TEST_F(HealthRoutesTest, ABackendTellsWhatItsModelsAreCalledUpToABound) {
  backend_.several = {{"embedded", backend_.now}, {"ollama", llm::Status{}}};
  const auto models = [this] {
    ask("GET", "/ready");
    return body().at("details").at("backend_ollama").at("models").as_array();
  };
  EXPECT_EQ(models(), boost::json::array{"ollama/tiny"});
  backend_.listed = 1000;
  EXPECT_EQ(models().size(), 100U);
}

TEST_F(HealthRoutesTest, MetricsTellWhichBackendsAnswer) {
  backend_.several = {{"embedded", backend_.now}, {"ollama", llm::Status{}}};
  ask("GET", "/metrics");
  EXPECT_NE(last_.body.find("tars_backend_up{backend=\"embedded\"} 1\n"), std::string::npos);
  EXPECT_NE(last_.body.find("tars_backend_up{backend=\"ollama\"} 0\n"), std::string::npos);
}

TEST_F(HealthRoutesTest, DrainingIsNotReady) {
  gateway().begin_drain();
  const auto response = ask("GET", "/ready");
  EXPECT_EQ(response.status, 503U);
  EXPECT_TRUE(response.close);
  EXPECT_EQ(body().at("status").as_string(), "draining");
}

TEST_F(HealthRoutesTest, MetricsAsTextOrJson) {
  ask("GET", "/metrics");
  EXPECT_NE(last_.body.find("tars_"), std::string::npos);
  EXPECT_EQ(header("Vary"), "Accept");
  ask("GET", "/metrics", {{"Accept", "application/json"}});
  EXPECT_EQ(header("Vary"), "Accept");
  for (const char* key : {"service", "version", "uptime_seconds", "startup_time", "timestamp"}) {
    EXPECT_TRUE(body().contains(key)) << key;
  }
}

TEST_F(HealthRoutesTest, SocketHealthHasThePublishedFigures) {
  ask("GET", "/ws/health");
  for (const char* key : {"active_connections", "unique_clients", "total_connections",
                          "total_messages", "total_tokens", "total_errors", "max_connections"}) {
    EXPECT_TRUE(body().at("metrics").as_object().contains(key)) << key;
  }
  EXPECT_EQ(body().at("ollama_status").as_string(), "healthy");
}

TEST_F(HealthRoutesTest, SessionsNeedNoTokenButNotABadOne) {
  EXPECT_EQ(ask("GET", "/ws/sessions").status, 200U);
  EXPECT_TRUE(body().at("sessions").as_object().empty());
  EXPECT_EQ(ask("GET", "/ws/sessions", bearer("bad")).status, 401U);
  EXPECT_EQ(ask("GET", "/ws/sessions", bearer("good")).status, 200U);
  EXPECT_EQ(ask("GET", "/ws/sessions", bearer("admin")).status, 200U);
}

}  // namespace
}  // namespace tars::api

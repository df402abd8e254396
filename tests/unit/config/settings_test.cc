#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::config {
namespace {

using namespace std::chrono_literals;

Settings loaded(std::vector<Assignment> flags) {
  Sources sources;
  sources.environment = {{"HOME", "/home/ann"}};
  sources.flags = std::move(flags);
  return load(sources).value().settings;
}

TEST(Settings, DefaultsAreThoseOfTheModules) {
  const Settings s = loaded({});
  const net::ServerOptions server;
  EXPECT_EQ(s.server.host, server.host);
  EXPECT_EQ(s.server.port, server.port);
  EXPECT_EQ(s.server.io_threads, server.io_threads);
  EXPECT_EQ(s.server.max_header_bytes, server.max_header_bytes);
  EXPECT_EQ(s.server.max_body_bytes, server.max_body_bytes);
  EXPECT_EQ(s.server.max_message_bytes, server.max_message_bytes);
  EXPECT_EQ(s.server.max_connections, server.max_connections);
  EXPECT_EQ(s.server.header_timeout, server.header_timeout);
  EXPECT_EQ(s.server.body_timeout, server.body_timeout);
  EXPECT_EQ(s.server.idle_timeout, server.idle_timeout);
  const auth::Options auth;
  EXPECT_EQ(s.auth.access_lifetime, auth.access_lifetime);
  EXPECT_EQ(s.auth.refresh_lifetime, auth.refresh_lifetime);
  EXPECT_EQ(s.auth.refresh_grace, auth.refresh_grace);
  const chat::Options chat;
  EXPECT_EQ(s.chat.grace, chat.grace);
  EXPECT_EQ(s.chat.retention, chat.retention);
  EXPECT_EQ(s.chat.running_per_client, chat.running_per_client);
  EXPECT_EQ(s.chat.waiting_per_client, chat.waiting_per_client);
  EXPECT_EQ(s.chat.waiting_total, chat.waiting_total);
  const api::Options api;
  EXPECT_EQ(s.api.heartbeat_interval, api.heartbeat_interval);
  EXPECT_EQ(s.api.idle_timeout, api.idle_timeout);
  EXPECT_EQ(s.api.max_connections, api.max_connections);
  EXPECT_EQ(s.api.max_connections_per_client, api.max_connections_per_client);
  EXPECT_EQ(s.api.control_queue, api.control_queue);
  EXPECT_EQ(s.api.messages_per_second, api.messages_per_second);
  EXPECT_EQ(s.api.message_burst, api.message_burst);
  EXPECT_EQ(s.api.max_tokens, api.max_tokens);
  EXPECT_EQ(s.api.sampling.temperature, api.sampling.temperature);
  EXPECT_EQ(s.api.sampling.top_p, api.sampling.top_p);
  EXPECT_EQ(s.api.sampling.top_k, api.sampling.top_k);
  const llm::LlamaOptions llm;
  EXPECT_EQ(s.llm.threads, llm.threads);
  EXPECT_EQ(s.llm.slots, llm.slots);
  EXPECT_EQ(s.llm.gpu_layers, llm.gpu_layers);
  EXPECT_EQ(s.llm.context_length, llm.context_length);
}

TEST(Settings, EveryModuleGetsItsOptions) {
  const Settings s = loaded({{"TARS_HOST", "::1"},
                             {"TARS_PORT", "0"},
                             {"WS_MAX_MESSAGE_BYTES", "2048"},
                             {"HTTP_BODY_TIMEOUT", "3"},
                             {"JWT_EXPIRATION_HOURS", "1"},
                             {"JWT_REFRESH_EXPIRATION_DAYS", "2"},
                             {"RUNS_PER_CLIENT", "1,2"},
                             {"RUN_RETENTION_HOURS", "5"},
                             {"MODEL_PATH", "/m.gguf"},
                             {"MODEL_THREADS", "3"},
                             {"MODEL_GPU_LAYERS", "12"},
                             {"MODEL_CONTEXT_LENGTH", "512"},
                             {"MODEL_MAX_TOKENS", "77"},
                             {"MODEL_TEMPERATURE", "0"},
                             {"WS_HEARTBEAT_INTERVAL", "1"},
                             {"RATE_LIMIT_PER_MINUTE", "9"},
                             {"LOG_LEVEL", "error"},
                             {"LOG_FORMAT", "json"},
                             {"DRAIN_SECONDS", "4"}});
  EXPECT_EQ(s.server.host, "::1");
  EXPECT_EQ(s.server.port, 0);
  EXPECT_EQ(s.server.max_message_bytes, 2048U);
  EXPECT_EQ(s.server.body_timeout, 3s);
  EXPECT_EQ(s.auth.access_lifetime, 1h);
  EXPECT_EQ(s.auth.refresh_lifetime, 48h);
  EXPECT_EQ(s.api.auth_rate_per_minute, 9);
  EXPECT_EQ(s.chat.running_per_client, 1);
  EXPECT_EQ(s.chat.waiting_per_client, 2);
  EXPECT_EQ(s.chat.retention, 5h);
  EXPECT_EQ(s.llm.model_path, "/m.gguf");
  EXPECT_EQ(s.llm.threads, 3);
  EXPECT_EQ(s.llm.gpu_layers, 12);
  EXPECT_EQ(s.llm.context_length, 512);
  EXPECT_EQ(s.api.max_tokens, 77);
  EXPECT_EQ(s.api.sampling.max_tokens, 77);
  EXPECT_EQ(s.api.sampling.temperature, 0.0F);
  EXPECT_EQ(s.api.heartbeat_interval, 1s);
  EXPECT_EQ(s.log_level, telemetry::LogLevel::error);
  EXPECT_EQ(s.log_format, telemetry::LogFormat::json);
  EXPECT_EQ(s.drain, 4s);
}

TEST(Settings, LevelsHavePythonsNamesToo) {
  const auto level = [](const char* name) { return loaded({{"LOG_LEVEL", name}}).log_level; };
  EXPECT_EQ(level("warn"), telemetry::LogLevel::warning);
  EXPECT_EQ(level("WARNING"), telemetry::LogLevel::warning);
  EXPECT_EQ(level("CRITICAL"), telemetry::LogLevel::error);
}

TEST(Settings, ConnectionsAreMoreThanSocketsUnlessTheirNumberIsGiven) {
  const auto connections = [](std::vector<Assignment> flags) {
    return loaded(std::move(flags)).server.max_connections;
  };
  EXPECT_EQ(connections({{"WS_MAX_CONNECTIONS", "5000"}}), 5256U);
  EXPECT_EQ(connections({{"WS_MAX_CONNECTIONS", "100"}}), 4096U);
  EXPECT_EQ(connections({{"WS_MAX_CONNECTIONS", "5000"}, {"HTTP_MAX_CONNECTIONS", "4096"}}), 4096U);
}

TEST(Settings, NoGpuLayersAreNotAllOfThem) {
  EXPECT_EQ(loaded({{"MODEL_GPU_LAYERS", "0"}}).llm.gpu_layers, 0);
  EXPECT_EQ(loaded({{"MODEL_GPU_LAYERS", "Auto"}}).llm.gpu_layers, -1);
}

TEST(Settings, BackendsAreThereWhenTheyAreConfigured) {
  const Settings alone = loaded({});
  EXPECT_TRUE(alone.embedded);
  EXPECT_FALSE(alone.ollama || alone.openai);

  const Settings ollama = loaded({{"LLM_BACKEND", "ollama"}});
  EXPECT_FALSE(ollama.embedded);
  ASSERT_TRUE(ollama.ollama);
  ASSERT_EQ(ollama.ollama->hosts.size(), 1U);
  EXPECT_EQ(ollama.ollama->hosts[0].url(), "http://127.0.0.1:11434");
  EXPECT_EQ(ollama.ollama->slots, 256);

  const Settings all = loaded({{"OLLAMA_HOST", "a, http://b:1"},
                               {"OLLAMA_MODEL", "m"},
                               {"OPENAI_BASE_URL", "https://c/v1"},
                               {"OPENAI_API_KEY", "k"},
                               {"UPSTREAM_IDLE_TIMEOUT", "7"},
                               {"UPSTREAM_MAX_RUNS", "9"},
                               {"MODEL_CONTEXT_LENGTH", "512"}});
  EXPECT_TRUE(all.embedded);
  ASSERT_TRUE(all.ollama && all.openai);
  ASSERT_EQ(all.ollama->hosts.size(), 2U);
  EXPECT_EQ(all.ollama->hosts[1].url(), "http://b:1");
  EXPECT_EQ(all.ollama->model, "m");
  EXPECT_EQ(all.ollama->context_length, 512);
  EXPECT_EQ(all.ollama->idle_timeout, 7s);
  EXPECT_EQ(all.openai->hosts.at(0).url(), "https://c/v1");
  EXPECT_EQ(all.openai->api_key, "k");
  EXPECT_EQ(all.openai->slots, 9);
  EXPECT_TRUE(loaded({{"LLM_BACKEND", "ollama"}, {"MODEL_PATH", "/m.gguf"}}).embedded);
}

TEST(Settings, TheModelIsLookedForInDataAndCache) {
  EXPECT_TRUE(loaded({}).llm.model_path.empty());
  EXPECT_THAT(loaded({}).model_candidates,
              testing::ElementsAre("/home/ann/.local/share/tars/models/chat.gguf",
                                   "/home/ann/.cache/tars/models/chat.gguf"));
  EXPECT_THAT(loaded({{"TARS_DATA_DIR", "/d"}, {"TARS_CACHE_DIR", "/c"}}).model_candidates,
              testing::ElementsAre("/d/models/chat.gguf", "/c/models/chat.gguf"));
}

TEST(Settings, EnrolmentIsOpenOnlyWhereNobodyElseReaches) {
  using auth::Enrollment;
  EXPECT_EQ(loaded({}).auth.enrollment, Enrollment::open);
  EXPECT_EQ(loaded({{"TARS_HOST", "localhost"}}).auth.enrollment, Enrollment::open);
  EXPECT_EQ(loaded({{"TARS_HOST", "0.0.0.0"}}).auth.enrollment, Enrollment::key);
  EXPECT_EQ(loaded({{"TARS_HOST", "0.0.0.0"}, {"TARS_ENV", "development"}}).auth.enrollment,
            Enrollment::open);
  EXPECT_EQ(loaded({{"AUTH_ENROLLMENT", "closed"}}).auth.enrollment, Enrollment::closed);
}

TEST(Settings, ForeignNamesAreRefusedWhereOnlyTheAddressProtects) {
  EXPECT_TRUE(loaded({}).api.refuse_foreign_names);
  EXPECT_FALSE(loaded({{"TARS_HOST", "0.0.0.0"}}).api.refuse_foreign_names);
  EXPECT_FALSE(loaded({{"AUTH_ENROLLMENT", "key"}}).api.refuse_foreign_names);
  EXPECT_FALSE(loaded({{"TRUSTED_PROXIES", "127.0.0.1"}}).api.refuse_foreign_names);
}

TEST(Settings, MissingSecretsAreToBeMade) {
  EXPECT_TRUE(loaded({}).make_secret_key);
  EXPECT_FALSE(loaded({}).make_enrollment_key);
  EXPECT_FALSE(loaded({{"JWT_SECRET_KEY", std::string(32, 'k')}}).make_secret_key);
  EXPECT_TRUE(loaded({{"AUTH_ENROLLMENT", "key"}}).make_enrollment_key);
  EXPECT_FALSE(loaded({{"AUTH_ENROLLMENT", "key"}, {"AUTH_ENROLLMENT_KEY", "12345678"}})
                   .make_enrollment_key);
}

TEST(Settings, TheSystemPromptCanBeNone) {
  EXPECT_FALSE(loaded({}).chat.system_prompt.empty());
  EXPECT_TRUE(loaded({{"SYSTEM_PROMPT", "none"}}).chat.system_prompt.empty());
}

TEST(Settings, AModelServersOwnInstructionsHold) {
  EXPECT_TRUE(loaded({{"LLM_BACKEND", "ollama"}}).chat.system_prompt.empty());
  EXPECT_EQ(loaded({{"LLM_BACKEND", "ollama"}, {"SYSTEM_PROMPT", "Rhyme."}}).chat.system_prompt,
            "Rhyme.");
}

// Where nothing else is asked for, and `localhost` is both.
TEST(Settings, BothLoopbackAddressesAreListenedOn) {
  EXPECT_EQ(loaded({}).server.second_host, "::1");
  EXPECT_EQ(loaded({{"TARS_HOST", "localhost"}}).server.second_host, "::1");
  EXPECT_EQ(loaded({{"TARS_HOST", "127.0.0.1"}}).server.second_host, "");
  EXPECT_EQ(loaded({{"TARS_HOST", "0.0.0.0"}}).server.second_host, "");
}

}  // namespace
}  // namespace tars::config

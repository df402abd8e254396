#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "config/option.h"
#include "config/values.h"

namespace tars::config {
namespace {

TEST(OptionTable, NamesFlagsAndAliasesAreUnique) {
  std::set<std::string> seen;
  for (const Option& option : options()) {
    EXPECT_TRUE(seen.insert(flag_name(option.name)).second) << option.name;
    for (const std::string_view other : {option.alias, option.short_flag}) {
      if (other.empty()) continue;
      EXPECT_TRUE(seen.insert(flag_name(other)).second) << option.name;
    }
  }
}

TEST(OptionTable, EveryOptionExplainsItself) {
  for (const Option& option : options()) {
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_EQ(option.help.back(), '.') << option.name;
    EXPECT_EQ(option.help.find('\n'), std::string_view::npos) << option.name;
    EXPECT_EQ(option.kind == Kind::choice, !option.choices.empty()) << option.name;
    EXPECT_TRUE(option.initial.empty() || option.unset_means.empty()) << option.name;
  }
}

TEST(OptionTable, EveryDefaultIsPossible) {
  for (const Option& option : options()) {
    if (option.initial.empty()) continue;
    EXPECT_TRUE(check_value(option, option.initial)) << option.name;
  }
}

TEST(OptionTable, NumbersHaveBounds) {
  for (const Option& option : options()) {
    const bool numeric =
        option.kind == Kind::integer || option.kind == Kind::number || option.kind == Kind::pair;
    EXPECT_TRUE(!numeric || option.min < option.max) << option.name;
    if (option.kind == Kind::integer && option.name != "TARS_PORT") {
      EXPECT_FALSE(option.unit.empty()) << option.name;
    }
  }
}

// The contract's numbers, word for word: a default is a promise.
TEST(OptionTable, DefaultsAreTheContracts) {
  constexpr std::pair<const char*, const char*> kContract[] = {
      {"TARS_HOST", "127.0.0.1"},
      {"TARS_PORT", "8000"},
      {"IO_THREADS", "1"},
      {"IO_PRIORITY", "auto"},
      {"LOG_LEVEL", "INFO"},
      {"LOG_FORMAT", "text"},
      {"HTTP_MAX_BODY_BYTES", "1048576"},
      {"DRAIN_SECONDS", "20"},
      {"JWT_ALGORITHM", "HS256"},
      {"JWT_EXPIRATION_HOURS", "24"},
      {"JWT_REFRESH_EXPIRATION_DAYS", "7"},
      {"REFRESH_GRACE_SECONDS", "0"},
      {"RATE_LIMIT_PER_MINUTE", "60"},
      {"WS_HEARTBEAT_INTERVAL", "30"},
      {"WS_MAX_CONNECTIONS", "1024"},
      {"WS_MAX_CONNECTIONS_PER_CLIENT", "64"},
      {"WS_TIMEOUT_SECONDS", "300"},
      {"WS_MAX_MESSAGE_BYTES", "262144"},
      {"WS_MESSAGE_QUEUE_SIZE", "100"},
      {"WS_RATE_MESSAGES_PER_SECOND", "20"},
      {"WS_RATE_BURST", "60"},
      {"LLM_BACKEND", "embedded"},
      {"MODEL_THREADS", "auto"},
      {"MODEL_TEMPERATURE", "0.7"},
      {"MODEL_TOP_P", "0.9"},
      {"MODEL_TOP_K", "40"},
      {"MODEL_MAX_TOKENS", "2048"},
      {"UPSTREAM_CONNECT_TIMEOUT", "5"},
      {"UPSTREAM_FIRST_TOKEN_TIMEOUT", "120"},
      {"UPSTREAM_IDLE_TIMEOUT", "30"},
      {"RUN_GRACE_SECONDS", "30"},
      {"RUN_RETENTION_HOURS", "24"},
      {"RUNS_PER_CLIENT", "4,16"},
      {"RUNS_WAITING", "256"},
      {"VECTOR_STORE", "embedded"},
      {"CHROMA_COLLECTION_NAME", "tars_documents"},
      {"CHUNK_OVERLAP", "50"},
      {"MAX_FILE_SIZE_MB", "50"},
      {"RAG_TOP_K", "5"},
  };
  for (const auto& [name, initial] : kContract) {
    const Option* option = find_option(name);
    ASSERT_NE(option, nullptr) << name;
    EXPECT_EQ(option->initial, initial) << name;
  }
}

TEST(OptionTable, HoldsTheNamesOperatorsUse) {
  for (const char* name : {"LOG_LEVEL",
                           "LOG_FORMAT",
                           "CORS_ORIGINS",
                           "HTTPS_ENABLED",
                           "TLS_CERT_PATH",
                           "TLS_KEY_PATH",
                           "JWT_SECRET_KEY",
                           "JWT_ALGORITHM",
                           "JWT_EXPIRATION_HOURS",
                           "JWT_REFRESH_EXPIRATION_DAYS",
                           "RATE_LIMIT_PER_MINUTE",
                           "WS_HEARTBEAT_INTERVAL",
                           "WS_MAX_CONNECTIONS",
                           "WS_TIMEOUT_SECONDS",
                           "WS_MESSAGE_QUEUE_SIZE",
                           "MODEL_TEMPERATURE",
                           "MODEL_TOP_P",
                           "MODEL_TOP_K",
                           "MODEL_MAX_TOKENS",
                           "OLLAMA_HOST",
                           "OLLAMA_MODEL",
                           "CHROMA_HOST",
                           "CHROMA_COLLECTION_NAME",
                           "CHUNK_SIZE",
                           "CHUNK_OVERLAP",
                           "MAX_FILE_SIZE_MB",
                           "ALLOWED_EXTENSIONS",
                           "RAG_TOP_K",
                           "RAG_RELEVANCE_THRESHOLD",
                           "RAG_RERANK_ENABLED",
                           "NAS_MOUNT_POINT",
                           "WATCH_DIRECTORIES",
                           "NAS_WATCH_ENABLED",
                           "NAS_SCAN_INTERVAL",
                           "BACKEND_PORT",
                           "OLLAMA_CONTEXT_LENGTH"}) {
    EXPECT_NE(find_option(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace tars::config

#include <gtest/gtest.h>

#include <set>

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

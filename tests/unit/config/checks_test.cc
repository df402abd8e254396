#include "config/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"

namespace tars::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Result<Loaded> try_load(std::vector<Assignment> flags) {
  Sources sources;
  sources.environment = {{"HOME", "/home/ann"}};
  sources.flags = std::move(flags);
  return load(sources);
}

std::string error_of(std::vector<Assignment> flags) {
  const auto loaded = try_load(std::move(flags));
  return loaded ? "no error" : loaded.error().message;
}

TEST(Checks, LoopbackAddresses) {
  for (const char* yes : {"127.0.0.1", "127.9.9.9", "::1", "localhost"})
    EXPECT_TRUE(is_loopback(yes));
  for (const char* no : {"0.0.0.0", "::", "192.168.1.4", "example.org", ""})
    EXPECT_FALSE(is_loopback(no));
}

TEST(Checks, DefaultsAreFineAndQuiet) { EXPECT_THAT(try_load({}).value().warnings, IsEmpty()); }

TEST(Checks, AnAddressToListenOnHasNoBrackets) {
  for (const char* bad : {"[::1]", "[::1]:8000", "not an address", "http://localhost"}) {
    EXPECT_THAT(error_of({{"TARS_HOST", bad}}), StartsWith("TARS_HOST: ")) << bad;
  }
  for (const char* good : {"::1", "::", "0.0.0.0", "localhost", "fe80::1%eth0"}) {
    EXPECT_EQ(error_of({{"TARS_HOST", good}}), "no error") << good;
  }
}

TEST(Checks, HttpsNeedsACertificateAndItsKey) {
  EXPECT_THAT(error_of({{"HTTPS_ENABLED", "true"}}), StartsWith("TLS_CERT_PATH: "));
  EXPECT_THAT(error_of({{"HTTPS_ENABLED", "true"}, {"TLS_CERT_PATH", "/c.pem"}}),
              StartsWith("TLS_KEY_PATH: "));
  const auto settings =
      try_load({{"HTTPS_ENABLED", "true"}, {"TLS_CERT_PATH", "/c.pem"}, {"TLS_KEY_PATH", "/k.pem"}})
          .value()
          .settings;
  EXPECT_EQ(settings.server.tls_certificate, "/c.pem");
  EXPECT_EQ(settings.server.tls_key, "/k.pem");
  EXPECT_EQ(error_of({{"HTTPS_ENABLED", "false"}}), "no error");
}

TEST(Checks, ACertificateWithoutHttpsWarns) {
  const auto loaded = try_load({{"TLS_CERT_PATH", "/c.pem"}}).value();
  EXPECT_THAT(loaded.warnings, Contains(StartsWith("TLS_CERT_PATH has no effect")));
  EXPECT_TRUE(loaded.settings.server.tls_certificate.empty());
}

TEST(Checks, AModelServerNeedsAnAddressThatCanBeAsked) {
  EXPECT_EQ(error_of({{"LLM_BACKEND", "ollama"}}), "no error");
  EXPECT_THAT(error_of({{"LLM_BACKEND", "openai"}}), StartsWith("OPENAI_BASE_URL: "));
  EXPECT_THAT(error_of({{"OPENAI_API_KEY", "sk\r\nX-Other: 1"}}), StartsWith("OPENAI_API_KEY: "));
  EXPECT_THAT(try_load({{"OPENAI_API_KEY", "sk"}, {"OLLAMA_MODEL", "m"}}).value().warnings,
              ::testing::UnorderedElementsAre(StartsWith("OPENAI_API_KEY has no effect"),
                                              StartsWith("OLLAMA_MODEL has no effect")));
  EXPECT_EQ(error_of({{"LLM_BACKEND", "openai"}, {"OPENAI_BASE_URL", "https://a.example/v1"}}),
            "no error");
  for (const char* bad : {"ftp://x", "http://user:pw@x", "a,http://?", ","}) {
    EXPECT_THAT(error_of({{"OLLAMA_HOST", bad}}), StartsWith("OLLAMA_HOST: ")) << bad;
  }
}

TEST(Checks, WhatHasNoEffectYetWarns) {
  const auto warnings =
      try_load({{"CHUNK_SIZE", "128"}, {"CHROMA_HOST", "http://x"}}).value().warnings;
  EXPECT_THAT(warnings, Contains(StartsWith("CHUNK_SIZE is accepted but has no effect")));
  EXPECT_THAT(warnings, Contains(StartsWith("CHROMA_HOST is accepted but has no effect")));
  EXPECT_THAT(try_load({{"RAG_TOP_K", "5"}}).value().warnings, IsEmpty());
}

TEST(Checks, StarOriginIsForDevelopment) {
  EXPECT_THAT(error_of({{"CORS_ORIGINS", "*"}}), StartsWith("CORS_ORIGINS: "));
  EXPECT_EQ(error_of({{"CORS_ORIGINS", "*"}, {"TARS_ENV", "development"}}), "no error");
}

TEST(Checks, OriginsHaveNoPath) {
  EXPECT_EQ(error_of({{"CORS_ORIGINS", "https://a.example, http://b.example:81"}}), "no error");
  for (const char* bad :
       {"https://a.example/", "a.example", "https://u@a.example", "https://a/?q"}) {
    EXPECT_THAT(error_of({{"CORS_ORIGINS", bad}}), HasSubstr("is no origin")) << bad;
  }
}

TEST(Checks, OriginsThatNoBrowserSendsAreRefused) {
  for (const char* bad : {"https://*.example", "https://*", "https://chat.*", "*.example"}) {
    EXPECT_THAT(error_of({{"CORS_ORIGINS", bad}, {"TARS_ENV", "development"}}),
                HasSubstr("has a * in it"))
        << bad;
  }
  for (const char* bad :
       {"https://a.example:0", "https://a.example:99999", "https://a.example:", "http://a:65536"}) {
    EXPECT_THAT(error_of({{"CORS_ORIGINS", bad}}), HasSubstr("port of 1-65535")) << bad;
  }
  EXPECT_EQ(error_of({{"CORS_ORIGINS", "https://a.example:65535, http://[::1]:1"}}), "no error");
}

TEST(Checks, ProxiesAreAddressesOrNetworks) {
  EXPECT_EQ(error_of({{"TRUSTED_PROXIES", "10.0.0.1, 10.0.0.0/8, ::1, fd00::/8"}}), "no error");
  for (const char* bad : {"proxy.local", "10.0.0.0/99", "10.0.0"}) {
    EXPECT_THAT(error_of({{"TRUSTED_PROXIES", bad}}), HasSubstr("no address and no network"))
        << bad;
  }
}

TEST(Checks, AdminsNeedEnrolmentThatIsNotOpen) {
  EXPECT_THAT(error_of({{"ADMIN_CLIENTS", "ann"}}), StartsWith("ADMIN_CLIENTS: "));
  EXPECT_EQ(error_of({{"ADMIN_CLIENTS", "ann"}, {"AUTH_ENROLLMENT", "key"}}), "no error");
  EXPECT_THAT(error_of({{"ADMIN_CLIENTS", "a b"}, {"AUTH_ENROLLMENT", "key"}}),
              HasSubstr("cannot be a client_id"));
}

TEST(Checks, AdminsWhoseNamesTheKeyOpensWarn) {
  EXPECT_THAT(
      try_load({{"ADMIN_CLIENTS", "ann"}, {"AUTH_ENROLLMENT", "key"}}).value().warnings,
      ElementsAre(HasSubstr("ADMIN_CLIENTS: whoever has the enrolment key can enrol under these")));
  EXPECT_THAT(try_load({{"ADMIN_CLIENTS", "ann"}, {"AUTH_ENROLLMENT", "closed"}}).value().warnings,
              IsEmpty());
}

TEST(Checks, APreviousKeyNeedsAnEnd) {
  const std::string key(32, 'k');
  EXPECT_THAT(error_of({{"JWT_PREVIOUS_SECRET_KEY", key}}),
              StartsWith("JWT_PREVIOUS_VALID_UNTIL: "));
  EXPECT_EQ(error_of({{"JWT_PREVIOUS_SECRET_KEY", key},
                      {"JWT_PREVIOUS_VALID_UNTIL", "2030-01-01T00:00:00Z"}}),
            "no error");
}

TEST(Checks, APreviousKeyThatIsOverOrTheSameWarns) {
  const auto warnings = [](char current, const char* until) {
    return try_load({{"JWT_SECRET_KEY", std::string(32, current)},
                     {"JWT_PREVIOUS_SECRET_KEY", std::string(32, 'k')},
                     {"JWT_PREVIOUS_VALID_UNTIL", until}})
        .value()
        .warnings;
  };
  EXPECT_THAT(warnings('c', "2999-01-01T00:00:00Z"), IsEmpty());
  EXPECT_THAT(warnings('c', "2001-01-01T00:00:00Z"),
              ElementsAre(HasSubstr("JWT_PREVIOUS_VALID_UNTIL (2001-01-01T00:00:00Z) is over")));
  EXPECT_THAT(warnings('k', "2999-01-01T00:00:00Z"),
              ElementsAre(HasSubstr("it is the key of JWT_SECRET_KEY")));
}

TEST(Checks, ProductionRefusesWhatIsUnsafe) {
  EXPECT_THAT(error_of({{"TARS_ENV", "production"}}), StartsWith("AUTH_ENROLLMENT: "));
  EXPECT_THAT(error_of({{"TARS_ENV", "production"}, {"AUTH_ENROLLMENT", "key"}}),
              StartsWith("HTTPS_ENABLED: "));
  EXPECT_THAT(
      error_of({{"TARS_ENV", "production"}, {"AUTH_ENROLLMENT", "key"}, {"TRUSTED_PROXIES", ","}}),
      StartsWith("HTTPS_ENABLED: "));
  EXPECT_EQ(error_of({{"TARS_ENV", "production"},
                      {"AUTH_ENROLLMENT", "key"},
                      {"HTTPS_ENABLED", "true"},
                      {"TLS_CERT_PATH", "/c.pem"},
                      {"TLS_KEY_PATH", "/k.pem"}}),
            "no error");
  EXPECT_THAT(error_of({{"TARS_ENV", "production"}, {"CORS_ORIGINS", "*"}}),
              StartsWith("CORS_ORIGINS: "));
  EXPECT_THAT(error_of({{"TARS_ENV", "production"}, {"JWT_SECRET_KEY", "short"}}),
              StartsWith("JWT_SECRET_KEY: "));
  EXPECT_THAT(error_of({{"TARS_ENV", "production"}, {"AUTH_ENROLLMENT", "open"}}),
              StartsWith("AUTH_ENROLLMENT: "));
  EXPECT_EQ(error_of({{"TARS_ENV", "production"},
                      {"AUTH_ENROLLMENT", "closed"},
                      {"TRUSTED_PROXIES", "10.0.0.1"}}),
            "no error");
}

TEST(Checks, ProductionRefusesASecretThatEveryoneKnows) {
  const auto in_production = [](const char* name, const std::string& secret) {
    return error_of({{"TARS_ENV", "production"},
                     {"AUTH_ENROLLMENT", "key"},
                     {"TRUSTED_PROXIES", "10.0.0.1"},
                     {"JWT_PREVIOUS_VALID_UNTIL", "2030-01-01T00:00:00Z"},
                     {name, secret}});
  };
  for (const char* known :
       {"your-secret-key-change-this-in-production", "CHANGE_ME_CHANGE_ME_CHANGE_ME_NOW",
        "this is an example secret of 40 characters", "a-string-secret-at-least-256-bits-long"}) {
    EXPECT_THAT(in_production("JWT_SECRET_KEY", known), StartsWith("JWT_SECRET_KEY: ")) << known;
    EXPECT_THAT(in_production("JWT_PREVIOUS_SECRET_KEY", known),
                StartsWith("JWT_PREVIOUS_SECRET_KEY: "));
    EXPECT_THAT(in_production("JWT_SECRET_KEY", known), Not(HasSubstr(known)));
    EXPECT_EQ(error_of({{"JWT_SECRET_KEY", known}}), "no error") << "only production asks";
  }
  const std::string random = "8c4f0a1b9d3e6f72a5c8e0d1f4b7a9c2e3d6f8a1b4c7d0e9f2a5b8c1d4e7f0a3";
  EXPECT_EQ(in_production("JWT_SECRET_KEY", random), "no error");
}

TEST(Checks, ProductionRefusesAnEnrolmentKeyThatEveryoneKnows) {
  const auto in_production = [](const char* name, const std::string& secret) {
    return error_of({{"TARS_ENV", "production"},
                     {"AUTH_ENROLLMENT", "key"},
                     {"TRUSTED_PROXIES", "10.0.0.1"},
                     {name, secret}});
  };
  for (const char* known :
       {"a-key-of-my-own", "changeme", "zzzzzzzz", "        ", " \t \t \t \t "}) {
    EXPECT_THAT(in_production("AUTH_ENROLLMENT_KEY", known), StartsWith("AUTH_ENROLLMENT_KEY: "))
        << known;
  }
  EXPECT_THAT(in_production("JWT_SECRET_KEY", std::string(64, 'a')),
              StartsWith("JWT_SECRET_KEY: "));
  EXPECT_EQ(in_production("AUTH_ENROLLMENT_KEY", "f7c1d09ab2e84436"), "no error");
}

TEST(Checks, OpenEnrolmentForOthersWarns) {
  const auto warnings =
      try_load({{"TARS_HOST", "0.0.0.0"}, {"TARS_ENV", "development"}}).value().warnings;
  EXPECT_THAT(warnings, Contains(HasSubstr("enrolment is open")));
}

TEST(Checks, DevelopmentIsSaidOnALoopbackAddressToo) {
  EXPECT_THAT(try_load({{"TARS_ENV", "development"}}).value().warnings,
              Contains(HasSubstr("TARS_ENV=development")));
}

TEST(Checks, ProxiesThatAreEveryoneWarn) {
  const auto warnings =
      try_load({{"TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0,::/0"}}).value().warnings;
  EXPECT_THAT(warnings, Contains(HasSubstr("0.0.0.0/0 takes everyone's word")));
  EXPECT_THAT(warnings, Contains(HasSubstr("::/0 takes everyone's word")));
  EXPECT_EQ(warnings.size(), 2U);
}

TEST(Checks, SettingsThatDefeatEachOtherWarn) {
  EXPECT_THAT(try_load({{"AUTH_ENROLLMENT_KEY", "12345678"}}).value().warnings,
              Contains(HasSubstr("AUTH_ENROLLMENT_KEY has no effect")));
  EXPECT_THAT(try_load({{"WS_TIMEOUT_SECONDS", "30"}}).value().warnings,
              Contains(HasSubstr("WS_HEARTBEAT_INTERVAL")));
  EXPECT_THAT(try_load({{"JWT_PREVIOUS_VALID_UNTIL", "2030-01-01T00:00:00Z"}}).value().warnings,
              Contains(HasSubstr("without JWT_PREVIOUS_SECRET_KEY")));
}

}  // namespace
}  // namespace tars::config

#include "config/checks.h"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>

#include "api/http/forwarded.h"
#include "base/clock.h"
#include "config/scalar.h"
#include "config/settings.h"
#include "llm/backend_names.h"
#include "net/client/endpoint.h"

namespace tars::config {
namespace {

namespace ip = boost::asio::ip;

Error refuse(std::string message) {
  return make_error(ErrorCode::config_error, std::move(message));
}

Result<void> check_address(std::string_view option, const std::string& address) {
  const auto endpoint = net::parse_endpoint(address, 80);
  if (endpoint) return {};
  return refuse(std::string(option) + ": " + endpoint.error().message);
}

Result<void> check_backend(const Values& values) {
  if (values.text("LLM_BACKEND") == llm::kOpenAiBackend && !values.is_set("OPENAI_BASE_URL")) {
    return refuse(
        "OPENAI_BASE_URL: LLM_BACKEND=openai needs it; set it to the server's address with its "
        "path, such as https://api.example/v1");
  }
  const auto hosts = values.list("OLLAMA_HOST");
  if (values.is_set("OLLAMA_HOST") && hosts.empty()) {
    return refuse("OLLAMA_HOST: it names no address; set one, or leave it out");
  }
  for (const std::string& host : hosts) {
    if (auto checked = check_address("OLLAMA_HOST", host); !checked) return checked;
  }
  if (values.is_set("OPENAI_BASE_URL")) {
    const std::string& url = values.text("OPENAI_BASE_URL");
    if (auto checked = check_address("OPENAI_BASE_URL", url); !checked) return checked;
  }
  // It becomes a line of a request, which a control character would end.
  const std::string& key = values.text("OPENAI_API_KEY");
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(key, is_control)) {
    return refuse(
        "OPENAI_API_KEY: it has a line break or another control character in it; set it to the key "
        "alone, on one line");
  }
  return {};
}

// An address is written alone here; the brackets belong to a URL.
Result<void> check_host(const Values& values) {
  const std::string& host = values.text("TARS_HOST");
  if (host.find_first_of("[]/ ") == std::string::npos) return {};
  return refuse("TARS_HOST: \"" + host +
                "\" is neither an address nor a name; write it without brackets and port, such as "
                "127.0.0.1, ::1 or 0.0.0.0");
}

Result<void> check_tls(const Values& values) {
  if (!values.boolean("HTTPS_ENABLED")) return {};
  for (const std::string_view name : {"TLS_CERT_PATH", "TLS_KEY_PATH"}) {
    if (values.is_set(name)) continue;
    return refuse(std::string(name) +
                  ": HTTPS_ENABLED needs it; set it to a PEM file. One to try with: openssl req "
                  "-x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost -keyout key.pem "
                  "-out cert.pem");
  }
  return {};
}

Result<void> check_proxies(const Values& values) {
  for (const std::string& proxy : values.list("TRUSTED_PROXIES")) {
    if (!api::parse_network(proxy)) {
      return refuse("TRUSTED_PROXIES: \"" + proxy +
                    "\" is no address and no network; write it as 10.0.0.7 or 10.0.0.0/8");
    }
  }
  return {};
}

// In a URL, nothing, 0 and what is above 65535 are ports by their form alone.
bool has_sane_port(const boost::urls::url_view& url) {
  if (!url.has_port()) return true;
  const auto port = parse_integer(std::string(url.port()));
  return port && *port >= 1 && *port <= 65535;
}

// As browsers send it (RFC 6454 section 6.2): scheme, host, port, and nothing behind.
bool is_origin(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  return url && !url->host().empty() && url->path().empty() && !url->has_query() &&
         !url->has_fragment() && !url->has_userinfo() && has_sane_port(*url);
}

Result<void> check_origins(const Values& values) {
  for (const std::string& origin : values.list("CORS_ORIGINS")) {
    if (origin == "*") {
      if (values.text("TARS_ENV") == "development") continue;
      return refuse(
          "CORS_ORIGINS: * lets every web page call this server and is for TARS_ENV=development "
          "only; "
          "name the origins instead, such as https://chat.example");
    }
    if (origin.find('*') != std::string::npos) {
      return refuse("CORS_ORIGINS: \"" + origin +
                    "\" has a * in it, which stands for nothing there and would never match; name "
                    "each origin, such as https://chat.example");
    }
    if (!is_origin(origin)) {
      return refuse("CORS_ORIGINS: \"" + origin +
                    "\" is no origin; write scheme, host and a port of 1-65535 or none, such as "
                    "https://chat.example:8443, with no path");
    }
  }
  return {};
}

bool is_client_id(const std::string& text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";
  return text.size() <= 128 && text.find_first_not_of(kAllowed) == std::string::npos;
}

Result<void> check_tokens(const Settings& settings) {
  if (settings.auth.previous_secret_key && !settings.auth.previous_valid_until) {
    return refuse(
        "JWT_PREVIOUS_VALID_UNTIL: a previous key needs an end; set a time such as "
        "2026-12-31T00:00:00Z, or remove JWT_PREVIOUS_SECRET_KEY");
  }
  for (const std::string& client : settings.auth.admin_clients) {
    if (!is_client_id(client)) {
      return refuse("ADMIN_CLIENTS: \"" + client.substr(0, 40) +
                    "\" cannot be a client_id; use letters, digits and ._:@- (at most 128)");
    }
  }
  if (!settings.auth.admin_clients.empty() && settings.auth.enrollment == auth::Enrollment::open) {
    return refuse(
        "ADMIN_CLIENTS: enrolment is open, so anyone could take an admin's name; set "
        "AUTH_ENROLLMENT=key or closed, or remove ADMIN_CLIENTS");
  }
  return {};
}

// A secret that was copied out of an example or a guide, which everyone can read: such texts say
// what to do with them. No random secret spells these words.
bool is_from_an_example(std::string_view secret) {
  // Of one character, blanks too, is what holds a place.
  if (!secret.empty() && secret.find_first_not_of(secret.front()) == std::string_view::npos) {
    return true;
  }
  if (!secret.empty() && secret.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;
  std::string letters;
  for (const char c : secret) {
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
    if (c >= 'a' && c <= 'z') letters += c;
  }
  constexpr std::array<std::string_view, 12> kWords = {
      "changeme",  "changethis", "changeit",    "changein",    "yoursecret",    "yourjwt",
      "yoursuper", "example",    "placeholder", "supersecret", "astringsecret", "akeyofmyown"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return letters.find(word) != std::string::npos; });
}

Result<void> check_production(const Values& values, const Settings& settings) {
  if (settings.environment != Environment::production) return {};
  for (const std::string_view name :
       {"JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY", "AUTH_ENROLLMENT_KEY"}) {
    if (!is_from_an_example(values.text(name))) continue;
    return refuse(
        std::string(name) +
        ": TARS_ENV=production refuses an example's secret and one of a single character, "
        "which everyone can guess; make one with `openssl rand -hex 32`, or leave it out");
  }
  if (settings.auth.enrollment == auth::Enrollment::open) {
    return refuse(
        "AUTH_ENROLLMENT: TARS_ENV=production refuses open enrolment; set AUTH_ENROLLMENT=key or "
        "closed");
  }
  if (!values.boolean("HTTPS_ENABLED") && values.list("TRUSTED_PROXIES").empty()) {
    return refuse(
        "HTTPS_ENABLED: TARS_ENV=production needs TLS; set it to true with TLS_CERT_PATH and "
        "TLS_KEY_PATH, or name the reverse proxy that ends TLS in TRUSTED_PROXIES");
  }
  return {};
}

void warn_of_previous_key(const Values& values, const auth::Options& options,
                          std::vector<std::string>& out) {
  if (!options.previous_secret_key) {
    if (!values.is_set("JWT_PREVIOUS_VALID_UNTIL")) return;
    out.emplace_back("JWT_PREVIOUS_VALID_UNTIL has no effect without JWT_PREVIOUS_SECRET_KEY");
    return;
  }
  if (*options.previous_secret_key == options.secret_key) {
    out.emplace_back(
        "JWT_PREVIOUS_SECRET_KEY has no effect: it is the key of JWT_SECRET_KEY; set it to the one "
        "before, or remove it");
  }
  if (options.previous_valid_until && *options.previous_valid_until <= SystemClock{}.wall()) {
    out.push_back("JWT_PREVIOUS_SECRET_KEY has no effect: JWT_PREVIOUS_VALID_UNTIL (" +
                  values.text("JWT_PREVIOUS_VALID_UNTIL") +
                  ") is over; remove both, or set a later time");
  }
}

void warn_later(const Values& values, std::vector<std::string>& out) {
  for (const Option& option : options()) {
    if (option.effect == Effect::later && !values.setting(option.name).is_default) {
      out.push_back(std::string(option.name) + " is accepted but has no effect in this version");
    }
  }
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (equal_ignoring_case(host, "localhost")) return true;
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

Result<void> check_settings(const Values& values, const Settings& settings) {
  if (auto checked = check_backend(values); !checked) return checked;
  if (auto checked = check_host(values); !checked) return checked;
  if (auto checked = check_tls(values); !checked) return checked;
  if (auto checked = check_proxies(values); !checked) return checked;
  if (auto checked = check_origins(values); !checked) return checked;
  if (auto checked = check_tokens(settings); !checked) return checked;
  return check_production(values, settings);
}

std::vector<std::string> setting_warnings(const Values& values, const Settings& settings) {
  std::vector<std::string> out;
  const bool open = settings.auth.enrollment == auth::Enrollment::open;
  if (values.text("TARS_ENV") == "development" && is_loopback(settings.server.host)) {
    out.emplace_back(
        "TARS_ENV=development: enrolment is open unless AUTH_ENROLLMENT says otherwise, and "
        "CORS_ORIGINS may be *; leave it out on a server that others use");
  }
  for (const std::string& network : values.list("TRUSTED_PROXIES")) {
    if (!network.ends_with("/0")) continue;
    out.push_back("TRUSTED_PROXIES: " + network +
                  " takes everyone's word for his address, and each can have any rate limit's "
                  "share he likes; name the proxies alone");
  }
  if (open && !is_loopback(settings.server.host)) {
    out.emplace_back(
        "enrolment is open: everyone who reaches this port gets a token; "
        "AUTH_ENROLLMENT=key asks for a key");
  }
  if (settings.auth.enrollment == auth::Enrollment::key && !settings.auth.admin_clients.empty()) {
    out.emplace_back(
        "ADMIN_CLIENTS: whoever has the enrolment key can enrol under these names; give it to "
        "administrators only, or set AUTH_ENROLLMENT=closed and make tokens with `tars token`");
  }
  if (settings.auth.enrollment != auth::Enrollment::key && values.is_set("AUTH_ENROLLMENT_KEY")) {
    out.emplace_back("AUTH_ENROLLMENT_KEY has no effect unless AUTH_ENROLLMENT is key");
  }
  warn_of_previous_key(values, settings.auth, out);
  if (settings.api.heartbeat_interval >= settings.api.idle_timeout) {
    out.emplace_back(
        "WS_HEARTBEAT_INTERVAL is not below WS_TIMEOUT_SECONDS: quiet clients will be "
        "disconnected");
  }
  if (settings.server.max_connections <= settings.api.max_connections) {
    out.emplace_back(
        "HTTP_MAX_CONNECTIONS is not above WS_MAX_CONNECTIONS: with so many sockets open nothing "
        "else "
        "is answered, /health too");
  }
  for (const std::string_view name : {"TLS_CERT_PATH", "TLS_KEY_PATH"}) {
    if (!values.is_set(name) || values.boolean("HTTPS_ENABLED")) continue;
    out.push_back(std::string(name) + " has no effect unless HTTPS_ENABLED is true");
  }
  if (values.is_set("OLLAMA_MODEL") && !settings.ollama) {
    out.emplace_back("OLLAMA_MODEL has no effect without OLLAMA_HOST or LLM_BACKEND=ollama");
  }
  for (const std::string_view name : {"OPENAI_MODEL", "OPENAI_API_KEY"}) {
    if (!values.is_set(name) || settings.openai) continue;
    out.push_back(std::string(name) +
                  " has no effect without OPENAI_BASE_URL or LLM_BACKEND=openai");
  }
  warn_later(values, out);
  return out;
}

}  // namespace tars::config

#include "auth/token_service.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "auth/durable_token_service.h"
#include "telemetry/log.h"

namespace tars::auth {

namespace {

constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2: as long as the hash

Result<void> check_folder(const std::filesystem::path& folder) {
  const auto unwritable = [&](int error) {
    return make_error(ErrorCode::config_error,
                      "the data folder " + folder.string() + " cannot be written (" +
                          std::generic_category().message(error) +
                          "): make it writable, or set TARS_DATA_DIR to another folder");
  };
  if (folder.empty()) return {};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return unwritable(errno);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return unwritable(errno);
  return {};
}

Result<void> check_secrets(const Options& options) {
  if (options.secret_key.size() < kMinSecretBytes) {
    return make_error(
        ErrorCode::config_error,
        "JWT_SECRET_KEY must be at least 32 bytes: make one with `openssl rand -hex 32`");
  }
  if (options.previous_secret_key && options.previous_secret_key->size() < kMinSecretBytes) {
    return make_error(ErrorCode::config_error, "JWT_PREVIOUS_SECRET_KEY must be at least 32 bytes");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<TokenService>> TokenService::open(const std::filesystem::path& database,
                                                         Options options, const Clock& clock) {
  if (auto good = check_secrets(options); !good) return good.error();
  if (database != ":memory:") {
    if (auto good = check_folder(database.parent_path()); !good) return good.error();
  }
  auto dead = std::make_unique<DeadTokens>();
  auto loaded = load_ledger(database, *dead);
  if (!loaded) {
    if (loaded.error().code == ErrorCode::config_error) return loaded.error();
    telemetry::log(telemetry::LogLevel::error, "revocations cannot be read: every token is refused",
                   {{"cause", loaded.error().message}});
  }
  return std::unique_ptr<TokenService>(std::make_unique<DurableTokenService>(
      std::move(options), database, std::move(loaded), std::move(dead), clock));
}

}  // namespace tars::auth

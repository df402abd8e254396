#include "app/open_secrets.h"

#include "config/kept_secret.h"

namespace tars::app {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kEnrollmentKeyBytes = 16;
constexpr std::string_view kSecretLoss = "which ends every token";
constexpr std::string_view kEnrollmentKeyLoss = "which new devices then need";

}  // namespace

Result<void> check_secrets(const config::Settings& settings) {
  if (settings.make_secret_key) {
    const auto kept =
        config::read_kept_secret(settings.data_dir / kSecretFile, kSecretBytes, kSecretLoss);
    if (!kept) return kept.error();
  }
  if (!settings.make_enrollment_key) return {};
  const auto kept = config::read_kept_secret(settings.data_dir / kEnrollmentKeyFile,
                                             kEnrollmentKeyBytes, kEnrollmentKeyLoss);
  if (!kept) return kept.error();
  return {};
}

Result<void> open_secret_key(config::Settings& settings) {
  if (!settings.make_secret_key) return {};
  auto secret =
      config::load_or_make_secret(settings.data_dir / kSecretFile, kSecretBytes, kSecretLoss);
  if (!secret) return secret.error();
  settings.auth.secret_key = secret->value;
  return {};
}

Result<std::optional<std::string>> open_enrollment_key(config::Settings& settings) {
  if (!settings.make_enrollment_key) return std::optional<std::string>();
  auto key = config::load_or_make_secret(settings.data_dir / kEnrollmentKeyFile,
                                         kEnrollmentKeyBytes, kEnrollmentKeyLoss);
  if (!key) return key.error();
  settings.auth.enrollment_key = key->value;
  return key->made_now ? std::optional(key->value) : std::nullopt;
}

}  // namespace tars::app

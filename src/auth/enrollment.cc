#include "auth/enrollment.h"

#include <openssl/crypto.h>

#include "auth/client_id.h"
#include "base/sha256.h"
#include "base/utf8.h"

namespace tars::auth {

namespace {

constexpr std::size_t kMaxNameCharacters = 128;

// Control characters would let a name forge lines in a terminal that lists the devices.
bool is_name(std::string_view text) {
  if (text.size() > kMaxNameCharacters * 4) return false;
  const auto characters = count_code_points(text);
  if (!characters || *characters > kMaxNameCharacters) return false;
  return !has_control_characters(text);
}

// Hashes have one length, so neither the length nor the place of the first difference shows in the
// time.
bool same_secret(std::string_view a, std::string_view b) {
  const std::string left = sha256_hex(a);
  const std::string right = sha256_hex(b);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

Result<void> check_names(const EnrollRequest& request) {
  Error invalid{ErrorCode::invalid_request, "the request has a bad field"};
  if (!is_client_id(request.client_id)) {
    invalid.fields.push_back({"client_id", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -"});
  }
  const std::string name_rule =
      "must be at most 128 characters of UTF-8 without control characters";
  if (!is_name(request.device_name)) invalid.fields.push_back({"device_name", name_rule});
  if (!is_name(request.device_type)) invalid.fields.push_back({"device_type", name_rule});
  if (!invalid.fields.empty()) {
    invalid.message = invalid.fields.front().field + " " + invalid.fields.front().message;
    return invalid;
  }
  return {};
}

Result<void> admit(const EnrollRequest& request, const Options& options) {
  if (auto good = check_names(request); !good) return good;
  switch (options.enrollment) {
    case Enrollment::open: return {};
    case Enrollment::closed:
      return make_error(
          ErrorCode::forbidden,
          "enrollment is closed on this server: ask its operator for a token (tars token)");
    case Enrollment::key: break;
  }
  if (!request.enrollment_key || request.enrollment_key->empty()) {
    return make_error(ErrorCode::forbidden, "this server asks for an enrollment_key");
  }
  // An empty key in the options would let everyone in; config refuses it, and so does this.
  if (options.enrollment_key.empty() ||
      !same_secret(*request.enrollment_key, options.enrollment_key)) {
    return make_error(ErrorCode::forbidden,
                      "the enrollment_key is wrong: ask the operator of this server for it");
  }
  return {};
}

}  // namespace tars::auth

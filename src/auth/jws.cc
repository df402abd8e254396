#include "auth/jws.h"

#include <cjose/cjose.h>

#include <algorithm>

#include "auth/base64url.h"

namespace tars::auth {

namespace {

struct Release {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
using Jws = std::unique_ptr<cjose_jws_t, Release>;
using Header = std::unique_ptr<cjose_header_t, Release>;
using Key = std::unique_ptr<cjose_jwk_t, Release>;

const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Three parts, each base64url as RFC 7515 asks for it. cjose 0.6.2 ends the whole process (an
// assertion) over some texts that are not, a padding in the wrong place for one.
bool is_compact(std::string_view text) {
  const auto parts = split_compact(text);
  return parts && std::ranges::all_of(*parts, [](std::string_view part) {
           return decode_base64url(part).has_value();
         });
}

Header make_header(const std::string& id) {
  cjose_err error{};
  Header header(cjose_header_new(&error));
  if (!header || !cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, &error) ||
      !cjose_header_set(header.get(), "typ", "JWT", &error)) {
    return nullptr;
  }
  if (!id.empty() && !cjose_header_set(header.get(), CJOSE_HDR_KID, id.c_str(), &error)) {
    return nullptr;
  }
  return header;
}

Key make_key(const std::string& secret) {
  cjose_err error{};
  return Key(cjose_jwk_create_oct_spec(bytes(secret), secret.size(), &error));
}

}  // namespace

std::optional<std::array<std::string_view, 3>> split_compact(std::string_view text) {
  std::array<std::string_view, 3> parts;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, dot);
    text.remove_prefix(dot + 1);
  }
  if (text.find('.') != std::string_view::npos) return std::nullopt;
  parts[2] = text;
  for (const std::string_view part : parts) {
    if (part.empty()) return std::nullopt;
  }
  return parts;
}

struct JwsKey::Parts {
  Key key;        // null: no key could be made of the secret
  Header header;  // null: no memory
};

JwsKey::JwsKey(const std::string& secret, const std::string& id)
    : parts_(std::make_unique<const Parts>(make_key(secret), make_header(id))) {}

JwsKey::~JwsKey() = default;
JwsKey::JwsKey(JwsKey&&) noexcept = default;
JwsKey& JwsKey::operator=(JwsKey&&) noexcept = default;

std::optional<std::string> JwsKey::sign(std::string_view payload) const {
  if (!parts_->key || !parts_->header) return std::nullopt;
  cjose_err error{};
  // The header is only read and counted, and jansson counts atomically: threads may share it.
  const Jws jws(cjose_jws_sign(parts_->key.get(), parts_->header.get(), bytes(payload),
                               payload.size(), &error));
  const char* compact = nullptr;
  if (!jws || !cjose_jws_export(jws.get(), &compact, &error)) return std::nullopt;
  return std::string(compact);
}

bool JwsKey::verify(std::string_view compact) const {
  if (!parts_->key || !is_compact(compact)) return false;
  cjose_err error{};
  const Jws jws(cjose_jws_import(compact.data(), compact.size(), &error));
  return jws && cjose_jws_verify(jws.get(), parts_->key.get(), &error);
}

}  // namespace tars::auth

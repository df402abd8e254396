// Signed text in its compact form (RFC 7515), HMAC-SHA-256 (RFC 7518 3.2) and nothing else.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tars::auth {

// header.payload.signature, none of them empty, and nothing else; five parts would be an encrypted
// text (RFC 7516).
std::optional<std::array<std::string_view, 3>> split_compact(std::string_view text);

// One key, with the header that names it. Immutable, so any thread may call. cjose does the
// encoding and the cryptography.
class JwsKey {
 public:
  // `id` is the header's kid; without one there is none. An empty secret signs and verifies
  // nothing.
  JwsKey(const std::string& secret, const std::string& id);
  ~JwsKey();
  JwsKey(JwsKey&&) noexcept;
  JwsKey& operator=(JwsKey&&) noexcept;

  // header.payload.signature; nullopt when there is no memory for it.
  std::optional<std::string> sign(std::string_view payload) const;
  // Whether this is a compact form, spelled as the RFC asks for, whose signature is right for this
  // key. What stands in the header but `alg`, and in the payload, is the caller's to judge.
  bool verify(std::string_view compact) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace tars::auth

#include "base/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace tars {
namespace {

constexpr std::size_t kPiece = 1024 * 1024;
constexpr const char* kNoSha256 = "SHA-256 is not available in this OpenSSL";

// Fetched once: EVP_sha256() would look the algorithm up again at every call.
const EVP_MD* algorithm() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  return fetched.get();
}

Error unreadable(const std::filesystem::path& path) {
  return make_error(ErrorCode::io_error,
                    path.string() + " cannot be read: " + std::generic_category().message(errno));
}

}  // namespace

Sha256 sha256(std::string_view data) {
  Sha256 out{};
  if (EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm(), nullptr) != 1) {
    throw std::runtime_error(kNoSha256);
  }
  return out;
}

std::string sha256_hex(std::string_view data) { return to_hex(sha256(data)); }

Result<std::string> sha256_file(const std::filesystem::path& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(path.c_str(), "rbe"),
                                                           &std::fclose);
  if (!in) return unreadable(path);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const Error broken = make_error(ErrorCode::internal, kNoSha256);
  if (!hash || EVP_DigestInit_ex(hash.get(), algorithm(), nullptr) != 1) return broken;
  std::vector<char> piece(kPiece);
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), in.get())) {
    if (EVP_DigestUpdate(hash.get(), piece.data(), n) != 1) return broken;
  }
  if (std::ferror(in.get()) != 0) return unreadable(path);
  Sha256 digest{};
  if (EVP_DigestFinal_ex(hash.get(), digest.data(), nullptr) != 1) return broken;
  return to_hex(digest);
}

std::string to_hex(std::span<const unsigned char> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char b : bytes) {
    out += kHex[b >> 4];
    out += kHex[b & 15];
  }
  return out;
}

}  // namespace tars

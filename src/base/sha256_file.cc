#include "base/sha256_file.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <vector>

namespace tars {
namespace {

constexpr std::size_t kPiece = 1024 * 1024;

Error unreadable(const std::filesystem::path& path) {
  return make_error(ErrorCode::io_error,
                    path.string() + " cannot be read: " + std::generic_category().message(errno));
}

}  // namespace

Result<std::string> sha256_file(const std::filesystem::path& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(path.c_str(), "rbe"),
                                                           &std::fclose);
  if (!in) return unreadable(path);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const Error broken = make_error(ErrorCode::internal, "SHA-256 is not available in this OpenSSL");
  if (!hash || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) return broken;
  std::vector<char> piece(kPiece);
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), in.get())) {
    if (EVP_DigestUpdate(hash.get(), piece.data(), n) != 1) return broken;
  }
  if (std::ferror(in.get()) != 0) return unreadable(path);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(hash.get(), digest.data(), &length) != 1) return broken;
  std::string out;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

}  // namespace tars

#include "auth/base64url.h"

#include <openssl/evp.h>

#include <algorithm>

namespace tars::auth {

namespace {

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : 63;
}

// 2 characters at the end carry 4 bits too many, 3 carry 2.
bool unused_bits_are_zero(std::string_view text) {
  const std::size_t tail = text.size() % 4;
  if (tail == 2) return (value_of(text.back()) & 15) == 0;
  if (tail == 3) return (value_of(text.back()) & 3) == 0;
  return true;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1 || !std::all_of(text.begin(), text.end(), is_base64url)) {
    return std::nullopt;
  }
  if (!unused_bits_are_zero(text)) return std::nullopt;
  // OpenSSL knows the plain alphabet with padding.
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string out(padded.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(padded.data()),
                                     static_cast<int>(padded.size()));
  if (length < 0 || static_cast<std::size_t>(length) < padding) return std::nullopt;
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace tars::auth

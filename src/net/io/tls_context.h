// The server's certificate and key, as OpenSSL wants them, replaceable while connections live.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"

// From OpenSSL, which is kept out of this header.
using SSL_CTX = struct ssl_ctx_st;

namespace tars::net {

// Both PEM; the server's own certificate first, the key without a passphrase.
struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Owns the certificate in force. Thread-safe. A connection keeps the one it began with, so that
// replacing it drops none.
class TlsContext {
 public:
  // Reads both files: TLS 1.2 and 1.3, HTTP/1.1 by ALPN (RFC 7301), OpenSSL's default ciphers.
  // config_error naming TLS_CERT_PATH or TLS_KEY_PATH and the fix: a file that cannot be read or
  // is no PEM, a key with a passphrase or of another certificate, a certificate that has expired.
  // One that is not valid yet is taken: a board without a clock starts in the past.
  static Result<std::unique_ptr<TlsContext>> load(TlsFiles files);

  // Reads the files again. On an error the certificate in force stays. One that is not valid yet
  // is an error here, because the other may be good.
  Result<void> reload();

  std::shared_ptr<SSL_CTX> current() const;
  // Whose certificate it is and until when, for the log: `CN=nas.local, until 2027-01-31`.
  std::string description() const;
  // What clients will hold against it at this time, for the log: that it is not valid yet.
  std::optional<std::string> warning() const;

 private:
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
  std::string description_;
};

}  // namespace tars::net

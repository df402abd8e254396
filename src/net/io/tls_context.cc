#include "net/io/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "base/read_file.h"

namespace tars::net {
namespace {

constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionId[] = {'t', 'a', 'r', 's'};

Error refuse(std::string_view option, const std::filesystem::path& file, std::string_view what) {
  std::string message(option);
  message += ": ";
  message += file.string();
  message += ' ';
  message += what;
  return make_error(ErrorCode::config_error, std::move(message));
}

std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

Result<void> check_readable(std::string_view option, const std::filesystem::path& file) {
  if (const auto other = other_than_file(file); !other.empty()) {
    return refuse(option, file,
                  "is " + std::string(other) + "; set it to a PEM file that this user may read");
  }
  std::ifstream in(file);
  if (in.good() && in.peek() != std::ifstream::traits_type::eof()) return {};
  const std::string why = in.is_open() ? "it is empty" : std::strerror(errno);
  return refuse(option, file,
                "cannot be read (" + why + "); set it to a PEM file that this user may read");
}

// A client that asks for other protocols only is refused, as RFC 7301 section 3.2 wants it.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof(kHttp11), offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Asked for where the key is encrypted: there is nobody to type it.
int no_passphrase(char*, int, int, void*) { return 0; }

std::shared_ptr<SSL_CTX> new_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw std::bad_alloc();
  SSL_CTX* c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // A write takes what the socket takes; an idle connection keeps no buffers.
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_id_context(c, kSessionId, sizeof(kSessionId));
  // Tickets resume sessions; a cache of our own would grow with the clients.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(c, 1);
  SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(c, no_passphrase);
  return context;
}

std::string subject(const X509& certificate) {
  std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_ONELINE);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string date(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  char text[16];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d", &parts)};
}

std::string describe(const X509& certificate) {
  return subject(certificate) + ", until " + date(X509_get0_notAfter(&certificate));
}

// The end of a sentence, where its time has not begun.
std::optional<std::string> not_yet_valid(const X509& certificate) {
  const ASN1_TIME* begin = X509_get0_notBefore(&certificate);
  if (X509_cmp_current_time(begin) <= 0) return std::nullopt;
  return "is not valid yet (" + subject(certificate) + ", from " + date(begin) +
         "); put another there, or set the clock right if it is behind";
}

Result<std::shared_ptr<SSL_CTX>> read_files(const TlsFiles& files) {
  if (auto ok = check_readable("TLS_CERT_PATH", files.certificate); !ok) return ok.error();
  if (auto ok = check_readable("TLS_KEY_PATH", files.key); !ok) return ok.error();
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context = new_context();
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return refuse(
        "TLS_CERT_PATH", files.certificate,
        "holds no usable certificate (" + last_reason() +
            "); it must be PEM, the server's own certificate first, and an RSA key have 2048 bits "
            "or more");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context.get()))) < 0) {
    return refuse("TLS_CERT_PATH", files.certificate,
                  "has expired (" + describe(*SSL_CTX_get0_certificate(context.get())) +
                      "); put a new certificate there");
  }
  // A key of another certificate fails here already.
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refuse("TLS_KEY_PATH", files.key,
                  "is not the unencrypted PEM key of the certificate in TLS_CERT_PATH (" +
                      last_reason() + "); `openssl pkey -in KEY -out PLAIN` removes a passphrase");
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return refuse("TLS_KEY_PATH", files.key,
                  "does not belong to the certificate in TLS_CERT_PATH (" + last_reason() + ")");
  }
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(TlsFiles files) {
  std::unique_ptr<TlsContext> out(new TlsContext(std::move(files)));
  if (auto loaded = out->reload(); !loaded) return loaded.error();
  return out;
}

Result<void> TlsContext::reload() {
  auto context = read_files(files_);
  if (!context) return context.error();
  const X509& certificate = *SSL_CTX_get0_certificate(context->get());
  const auto early = not_yet_valid(certificate);
  if (early && current()) return refuse("TLS_CERT_PATH", files_.certificate, *early);
  std::string description = describe(certificate);
  std::lock_guard lock(mutex_);
  context_ = *std::move(context);
  description_ = std::move(description);
  return {};
}

std::shared_ptr<SSL_CTX> TlsContext::current() const {
  std::lock_guard lock(mutex_);
  return context_;
}

std::string TlsContext::description() const {
  std::lock_guard lock(mutex_);
  return description_;
}

std::optional<std::string> TlsContext::warning() const {
  const auto context = current();
  const auto early = not_yet_valid(*SSL_CTX_get0_certificate(context.get()));
  if (!early) return std::nullopt;
  return refuse("TLS_CERT_PATH", files_.certificate, *early).message;
}

}  // namespace tars::net

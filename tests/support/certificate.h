// Certificates for tests: self-signed, P-256, written as PEM.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace tars {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Writes NAME.cert.pem and NAME.key.pem into `folder`, for the host `name`, good for `days` from
// now (negative: over already). With a passphrase the key is encrypted. `begin` is the day from now
// on which its time begins.
inline CertificateFiles write_certificate(const std::filesystem::path& folder,
                                          const std::string& name, int days = 2,
                                          const char* passphrase = nullptr, int begin = -3) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  X509_set_version(x509.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), begin * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), days * 86400L);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x509.get(), subject);
  X509_sign(x509.get(), key.get(), EVP_sha256());

  CertificateFiles out{folder / (name + ".cert.pem"), folder / (name + ".key.pem")};
  const auto open = [](const std::filesystem::path& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                         std::fclose);
    if (!file) throw std::runtime_error("cannot write " + path.string());
    return file;
  };
  PEM_write_X509(open(out.certificate).get(), x509.get());
  PEM_write_PrivateKey(open(out.key).get(), key.get(), passphrase ? EVP_aes_128_cbc() : nullptr,
                       nullptr, 0, nullptr, const_cast<char*>(passphrase));
  return out;
}

}  // namespace tars

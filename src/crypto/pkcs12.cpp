// The one file of crypto that uses OpenSSL: Botan has no PKCS#12.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "chain.h"

namespace certwright::crypto {
namespace {

// PBKDF2 rounds for both the encryption and the MAC: some 50 ms a try for who guesses passwords.
constexpr int kIterations = 100'000;

struct Deleter {
  void operator()(X509* object) const { X509_free(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(PKCS12* object) const { PKCS12_free(object); }
  void operator()(PKCS8_PRIV_KEY_INFO* object) const { PKCS8_PRIV_KEY_INFO_free(object); }
  void operator()(STACK_OF(X509)* object) const { sk_X509_pop_free(object, X509_free); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

[[noreturn]] void Fail(FailureCode code, const char* what) {
  ERR_clear_error();  // the thread's queue must not surprise the next TLS connection
  throw Error(code, std::string("the PKCS#12 file could not be made: ") + what);
}

Owned<X509> Certificate(const std::string& der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  Owned<X509> certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
  if (!certificate) Fail(FailureCode::kInput, "a certificate cannot be read");
  return certificate;
}

Owned<EVP_PKEY> Key(const Secret& key_pem) {
  const Secret normalised = PrivateKey::FromPem(key_pem).ToPkcs8Pem();
  std::vector<PemBlock> blocks = SplitPem(normalised.Reveal());
  std::string& der = blocks.at(0).der;
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const Owned<PKCS8_PRIV_KEY_INFO> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &data, static_cast<long>(der.size())));
  OPENSSL_cleanse(der.data(), der.size());
  Owned<EVP_PKEY> key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  if (!key) Fail(FailureCode::kInput, "the private key cannot be read");
  return key;
}

std::string Der(PKCS12* file) {
  unsigned char* bytes = nullptr;
  const int size = i2d_PKCS12(file, &bytes);
  if (size < 0) Fail(FailureCode::kInternal, "it could not be encoded");
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

std::string ToPkcs12(std::string_view chain_pem, const Secret& key_pem,
                     std::string_view friendly_name, const Secret& password) {
  const std::vector<CertificateInfo> chain = InspectChain(chain_pem);
  const Owned<EVP_PKEY> key = Key(key_pem);
  const Owned<X509> leaf = Certificate(chain.front().der);
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    Fail(FailureCode::kInput, "the private key is not the certificate's");
  }
  const Owned<STACK_OF(X509)> issuers(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    Owned<X509> issuer = Certificate(chain[i].der);
    if (sk_X509_push(issuers.get(), issuer.get()) > 0) issuer.release();
  }
  const std::string name(friendly_name);
  // The MAC is SHA-256 by OpenSSL 3's default; the ciphers are said here because Windows and Java
  // read AES-256-CBC since 2018 and nobody should write RC2 or 3DES any more.
  const Owned<PKCS12> file(PKCS12_create(
      password.Reveal().c_str(), name.empty() ? nullptr : name.c_str(), key.get(), leaf.get(),
      issuers.get(), NID_aes_256_cbc, NID_aes_256_cbc, kIterations, kIterations, 0));
  if (!file) Fail(FailureCode::kInternal, "OpenSSL refused to build it");
  return Der(file.get());
}

}  // namespace certwright::crypto

// A certificate authority in memory, made by OpenSSL: what it signs is the other opinion.
#pragma once

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "certwright/base/clock.h"

namespace certwright::acme::testing {

using KeyPtr = std::shared_ptr<EVP_PKEY>;
using X509Ptr = std::shared_ptr<X509>;

inline std::string PemOf(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

inline std::string PemOfPublicKeyOf(const std::string& csr_der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(csr_der.data());
  X509_REQ* request = d2i_X509_REQ(nullptr, &bytes, static_cast<long>(csr_der.size()));
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, X509_REQ_get0_pubkey(request));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  X509_REQ_free(request);
  return text;
}

// Whether `signature` (r || s, RFC 7518 section 3.4) is that of `input` under the P-256 key `point`
// (04 || X || Y).
inline bool VerifiesEs256(std::string point, const std::string& input,
                          const std::string& signature) {
  if (signature.size() != 64) return false;
  char group[] = "P-256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string("group", group, 0),
      OSSL_PARAM_construct_octet_string("pub", point.data(), point.size()), OSSL_PARAM_END};
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY_fromdata_init(maker);
  EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  EVP_PKEY_CTX_free(maker);
  const auto* raw = reinterpret_cast<const unsigned char*>(signature.data());
  ECDSA_SIG* numbers = ECDSA_SIG_new();
  ECDSA_SIG_set0(numbers, BN_bin2bn(raw, 32, nullptr), BN_bin2bn(raw + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers, &der);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  const bool good =
      EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                       reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(numbers);
  EVP_PKEY_free(key);
  return good;
}

class Authority {
 public:
  explicit Authority(const std::string& common_name) : key_(NewKey()) {
    name_ = {X509_NAME_new(), X509_NAME_free};
    X509_NAME_add_entry_by_txt(name_.get(), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    certificate_ = New(name_.get(), 0, 4'000'000'000);
    X509_set_pubkey(certificate_.get(), key_.get());
    Extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    Extend(certificate_.get(), NID_subject_key_identifier, "hash");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }

  std::string Pem() const { return PemOf(certificate_.get()); }

  // A leaf for the key of the request, and for its names or `names` ("DNS:a.test,IP:192.0.2.1").
  std::string Sign(const std::string& csr_der, UnixSeconds from, UnixSeconds to,
                   const std::string& names = "") {
    const auto* bytes = reinterpret_cast<const unsigned char*>(csr_der.data());
    const std::shared_ptr<X509_REQ> request(
        d2i_X509_REQ(nullptr, &bytes, static_cast<long>(csr_der.size())), X509_REQ_free);
    if (!request) throw std::runtime_error("no certificate request");
    EVP_PKEY* public_key = X509_REQ_get0_pubkey(request.get());
    if (X509_REQ_verify(request.get(), public_key) != 1) {
      throw std::runtime_error("a certificate request with a wrong signature");
    }
    const std::shared_ptr<X509_NAME> nobody(X509_NAME_new(), X509_NAME_free);
    const X509Ptr leaf = New(nobody.get(), from, to);
    X509_set_pubkey(leaf.get(), public_key);
    if (names.empty()) {
      STACK_OF(X509_EXTENSION)* asked = X509_REQ_get_extensions(request.get());
      for (int i = 0; i < sk_X509_EXTENSION_num(asked); ++i) {
        X509_add_ext(leaf.get(), sk_X509_EXTENSION_value(asked, i), -1);
      }
      sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    } else {
      Extend(leaf.get(), NID_subject_alt_name, names);
    }
    // The certID of RFC 9773 begins with it.
    Extend(leaf.get(), NID_authority_key_identifier, "keyid", certificate_.get());
    X509_sign(leaf.get(), key_.get(), EVP_sha256());
    return PemOf(leaf.get());
  }

  static KeyPtr NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

 private:
  X509Ptr New(X509_NAME* subject, UnixSeconds from, UnixSeconds to) {
    X509Ptr made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(made.get()), 0x1000 + ++serial_);
    ASN1_TIME_set(X509_getm_notBefore(made.get()), from);
    ASN1_TIME_set(X509_getm_notAfter(made.get()), to);
    X509_set_subject_name(made.get(), subject);
    X509_set_issuer_name(made.get(), name_.get());
    return made;
  }

  static void Extend(X509* certificate, int nid, const std::string& value, X509* issuer = nullptr) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer == nullptr ? certificate : issuer, certificate, nullptr,
                   nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  KeyPtr key_;
  std::shared_ptr<X509_NAME> name_;
  X509Ptr certificate_;
  std::int64_t serial_ = 0;
};

}  // namespace certwright::acme::testing

// Certificates: requests, inspection, and the checks before one is stored (invariant I6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/secret.h"
#include "certwright/crypto/key.h"
#include "certwright/model/certificate.h"
#include "certwright/model/identifier.h"

namespace certwright::crypto {

// PKCS#10 with an empty subject and the identifiers as subjectAltName, signed by `key`; DER.
std::string CreateCsr(const PrivateKey& key, const std::vector<model::Identifier>& identifiers);

// What one X.509 certificate says of itself.
struct CertificateInfo {
  std::string der;
  std::string common_name;                  // "" where there is none
  std::string subject;                      // RFC 4514, most specific first
  std::string issuer;                       // RFC 4514
  std::string issuer_common_name;
  std::vector<model::Identifier> names;     // SAN dNSName and iPAddress, sorted; other kinds left out
  std::string serial_hex;                   // content octets of the DER INTEGER, lower case
  std::string serial_decimal;
  std::string fingerprint;                  // SHA-256 of the DER, lower-case hex
  std::string public_key_der;               // SubjectPublicKeyInfo
  std::string authority_key_id;             // raw octets, "" where absent
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  bool is_ca = false;
};

// Throws Error(kInput) where the bytes are no certificate.
CertificateInfo Inspect(std::string_view der);

// The chain of a PEM text, leaf first. Throws Error(kInput): empty, more than 10, another PEM label
// among them (a private key!), or not a certificate.
std::vector<CertificateInfo> InspectChain(std::string_view pem);

// What an uploaded leaf goes by: its common name (253 bytes at most), else its first name. It has one.
std::string LabelOf(const CertificateInfo& leaf);

// Whether a chain's issuers bear this common name (for preferred_chain; topmost first).
bool ChainHasIssuer(const std::vector<CertificateInfo>& chain, std::string_view common_name);

// All that must hold before a chain from a CA is stored. Throws Error(kProtocol) that says which rule
// was broken: the leaf has our key, exactly these identifiers, is valid now (not_before at most one
// hour ahead), is no CA certificate, and each certificate is signed by the next one.
// Fills chain_pem (normalised), serial, fingerprint, subject, issuer, names, times and ari_id of a
// version; key_pem is set too. `ca`, `origin` and ids are the caller's.
model::CertificateVersion CheckedVersion(std::string_view chain_pem, const Secret& key_pem,
                                         const std::vector<model::Identifier>& identifiers,
                                         UnixSeconds now);

// The same for a pair that another client obtained for names of its own choice, with what is wrong
// as Error(kInput): the names are those of the leaf, at least one.
model::CertificateVersion KeptVersion(std::string_view chain_pem, const Secret& key_pem,
                                      UnixSeconds now);

// Why nobody would trust this chain for TLS servers at `now`: neither this machine's roots nor those
// of the PEM text `more_roots` lead to it; "" where they do. Throws Error(kInternal) where there are
// no roots to be had, Error(kInput) where `more_roots` is damaged.
std::string WhyUntrusted(const std::vector<CertificateInfo>& chain, std::string_view more_roots,
                         UnixSeconds now);
// The same where the chain is to lead to a certificate in it that is signed by itself.
std::string WhyNotSelfSigned(const std::vector<CertificateInfo>& chain, UnixSeconds now);

// The version that becomes of a chain with its key; nothing is checked but that the chain can be
// read: Error(kInput). Its names are those of the leaf, and its common name where that is a name (or
// the only one there is).
model::CertificateVersion UploadedVersion(std::string_view chain_pem, const PrivateKey& key,
                                          UnixSeconds now);

// base64url(AKI) "." base64url(serial), RFC 9773 section 4.1; "" without an AKI.
std::string AriId(const CertificateInfo& leaf);

// A self-signed pair (EC P-256) for these names; CN is the first name.
model::CertificateVersion SelfSigned(const std::vector<model::Identifier>& identifiers,
                                     UnixSeconds not_before, UnixSeconds not_after);
// The same for a key that is there.
model::CertificateVersion SelfSigned(const PrivateKey& key,
                                     const std::vector<model::Identifier>& identifiers,
                                     UnixSeconds not_before, UnixSeconds not_after);

// PKCS#12 of chain and key under `password` (may be empty); DER.
std::string ToPkcs12(std::string_view chain_pem, const Secret& key_pem,
                     std::string_view friendly_name, const Secret& password);

// SHA-256, raw octets.
std::string Sha256(std::string_view bytes);

}  // namespace certwright::crypto

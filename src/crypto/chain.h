// Chains of certificates: reading them from PEM, and what holds one to the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/error.h"
#include "x509_parse.h"

namespace certwright::crypto {

// Leaf first. Throws Error(code), whose text is `subject` ("the certificate chain") and what is
// wrong with it.
std::vector<ParsedCertificate> ReadChain(std::string_view pem, FailureCode code,
                                         std::string_view subject, const std::string& advice);

// Whether the key of `issuer` made the signature of `certificate`. False also where the key or the
// signature is of a kind that is not supported.
bool IsSignedBy(const CertificateInfo& certificate, const CertificateInfo& issuer);

// Only keys whose check is cheap are handed to Botan: the curve named, the modulus of a sane size.
bool IsSupportedKey(std::string_view public_key_der);

// Of what a chain says, and its key. `ca`, `origin` and ids are the caller's.
model::CertificateVersion VersionOf(const std::vector<ParsedCertificate>& chain,
                                    const PrivateKey& key, UnixSeconds now);

}  // namespace certwright::crypto

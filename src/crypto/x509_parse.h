// One certificate read field by field (RFC 5280 section 4.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certwright/crypto/certificate.h"

namespace certwright::crypto {

struct ParsedCertificate {
  CertificateInfo info;
  std::string issuer_der;         // the whole Name
  std::string subject_der;
  bool has_alt_names = false;     // there is a subjectAltName at all
  bool has_other_names = false;   // it has names that are neither dNSName nor iPAddress
};

// Throws Error(kInput). Nothing is verified.
ParsedCertificate ParseCertificate(std::string_view der);

}  // namespace certwright::crypto

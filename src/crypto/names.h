// subjectAltName, RFC 5280 section 4.2.1.6: built and read here for requests and certificates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certwright/model/identifier.h"

namespace certwright::crypto {

struct GeneralNames {
  std::vector<model::Identifier> names;  // dNSName and iPAddress; sorted, no doubles, printable
  bool has_others = false;               // there is a name of another kind
};

// The DER of GeneralNames. Throws Error(kInput) for an address that is none.
std::string EncodeGeneralNames(const std::vector<model::Identifier>& identifiers);
GeneralNames ParseGeneralNames(std::string_view der);

// The whole Extension, not critical.
std::string SubjectAltNameExtension(const std::vector<model::Identifier>& identifiers);

// One form for each name, however it was written (lower case, canonical address); sorted, no
// doubles.
std::vector<model::Identifier> Canonical(std::vector<model::Identifier> identifiers);

// What a common name stands for.
model::Identifier IdentifierOf(std::string_view common_name);

}  // namespace certwright::crypto

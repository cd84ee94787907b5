// Names of subjects and issuers as text (RFC 4514), and the one kind that we make ourselves.
#pragma once

#include <string>
#include <string_view>

namespace certwright::crypto {

struct DistinguishedName {
  std::string text;         // RFC 4514, most specific first; printable
  std::string common_name;  // the most specific CN, "" where there is none; printable
};

// `der` is the whole Name. Throws Error(kInput).
DistinguishedName ParseName(std::string_view der);

// A Name of one CN.
std::string CommonNameDer(std::string_view common_name);

}  // namespace certwright::crypto

// What a certificate is for: DNS names and IP addresses (RFC 8555 section 9.7.7, RFC 8738).
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace certwright::model {

enum class IdentifierType { kDns, kIp };

struct Identifier {
  IdentifierType type = IdentifierType::kDns;
  // kDns: lower case, IDN as A-labels (punycode), maybe with a leading "*.".
  // kIp: the canonical text of RFC 5952 (IPv6) or dotted decimal (IPv4).
  std::string value;

  auto operator<=>(const Identifier&) const = default;
};

// "dns" or "ip", as in the JSON of RFC 8555.
std::string_view TypeName(IdentifierType type);

// Reads what a person or a program typed. A host name has LDH labels of 1 to 63 bytes, at most 253
// in all and at least one dot; Unicode names are converted (IDNA 2008, no mixed scripts within a
// label). Throws Error(kInput) that names the text and what is wrong with it, in words.
Identifier ParseIdentifier(std::string_view text);

// All of them, sorted and without doubles; at least one, at most 100. Throws as ParseIdentifier.
std::vector<Identifier> ParseIdentifiers(const std::vector<std::string>& texts);

// The exact set as one text (sorted, comma-separated): the key of a managed certificate.
std::string NameSetKey(const std::vector<Identifier>& identifiers);

std::vector<std::string> Names(const std::vector<Identifier>& identifiers);

// Whether `pattern` ("a.example.org" or "*.example.org") covers the host `name`: exact, or the
// wildcard stands for exactly one label. Both lower case.
bool Covers(std::string_view pattern, std::string_view name);

// "*.example.org" for "www.example.org"; "" where there is nothing above with a dot in it.
std::string WildcardFor(std::string_view name);

}  // namespace certwright::model

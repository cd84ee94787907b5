#include "names.h"

#include <arpa/inet.h>

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "der.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

constexpr der::Tag kDnsName = der::Primitive(2);
constexpr der::Tag kIpAddress = der::Primitive(7);

// 4 or 16 octets in network order; "" where the text is no address.
std::string AddressOctets(const std::string& text) {
  unsigned char octets[16];
  const auto bytes = [&](std::size_t size) {
    return std::string(reinterpret_cast<char*>(octets), size);
  };
  if (inet_pton(AF_INET, text.c_str(), octets) == 1) return bytes(4);
  if (inet_pton(AF_INET6, text.c_str(), octets) == 1) return bytes(16);
  return "";
}

// "" where there are not 4 or 16 octets.
std::string AddressText(std::string_view octets) {
  char text[INET6_ADDRSTRLEN] = "";
  if (octets.size() == 4) inet_ntop(AF_INET, octets.data(), text, sizeof text);
  if (octets.size() == 16) inet_ntop(AF_INET6, octets.data(), text, sizeof text);
  return text;
}

void SortUnique(std::vector<model::Identifier>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

std::string EncodeGeneralNames(const std::vector<model::Identifier>& identifiers) {
  std::string names;
  for (const model::Identifier& identifier : identifiers) {
    if (identifier.type == model::IdentifierType::kDns) {
      names += der::Encode(kDnsName, identifier.value);
      continue;
    }
    const std::string octets = AddressOctets(identifier.value);
    if (octets.empty()) {
      throw Error(FailureCode::kInput,
                  Cat("'", Printable(identifier.value), "' is not an IP address"));
    }
    names += der::Encode(kIpAddress, octets);
  }
  return der::Encode(der::kSequence, names);
}

GeneralNames ParseGeneralNames(std::string_view bytes) {
  GeneralNames found;
  der::Reader whole(bytes);
  der::Reader names = whole.Enter(der::kSequence);
  whole.ExpectEnd();
  while (!names.AtEnd()) {
    const der::Value name = names.Next();
    if (name.tag == kDnsName) {
      found.names.push_back(
          {model::IdentifierType::kDns, Printable(ToLower(name.content))});
    } else if (const std::string address = AddressText(name.content);
               name.tag == kIpAddress && !address.empty()) {
      found.names.push_back({model::IdentifierType::kIp, address});
    } else {
      found.has_others = true;
    }
  }
  SortUnique(found.names);
  return found;
}

std::string SubjectAltNameExtension(const std::vector<model::Identifier>& identifiers) {
  return der::Sequence({der::Oid(oid::kSubjectAltName),
                        der::Encode(der::kOctetString, EncodeGeneralNames(identifiers))});
}

std::vector<model::Identifier> Canonical(std::vector<model::Identifier> identifiers) {
  for (model::Identifier& identifier : identifiers) {
    if (identifier.type == model::IdentifierType::kDns) {
      identifier.value = ToLower(identifier.value);
    } else if (const std::string octets = AddressOctets(identifier.value); !octets.empty()) {
      identifier.value = AddressText(octets);
    }
  }
  SortUnique(identifiers);
  return identifiers;
}

model::Identifier IdentifierOf(std::string_view common_name) {
  const std::string address = AddressText(AddressOctets(std::string(common_name)));
  if (!address.empty()) return {model::IdentifierType::kIp, address};
  return {model::IdentifierType::kDns, ToLower(common_name)};
}

}  // namespace certwright::crypto

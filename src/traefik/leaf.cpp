#include "leaf.h"

#include <optional>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"

namespace certwright::traefik {
namespace {

// Takes a DER element off the front; its content, or nullopt where the tag is another or the length
// is wrong.
std::optional<std::string_view> Take(std::string_view& der, unsigned char tag) {
  if (der.size() < 2 || static_cast<unsigned char>(der[0]) != tag) return std::nullopt;
  std::size_t length = static_cast<unsigned char>(der[1]);
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7f;
    if (octets == 0 || octets > 4 || der.size() < 2 + octets) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) {
      length = (length << 8) | static_cast<unsigned char>(der[2 + i]);
    }
    header += octets;
  }
  if (der.size() - header < length) return std::nullopt;
  const auto content = der.substr(header, length);
  der.remove_prefix(header + length);
  return content;
}

constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kVersion = 0xa0;
constexpr unsigned char kInteger = 0x02;

}  // namespace

std::string LeafOf(const std::string& chain_pem) {
  try {
    const auto blocks = SplitPem(chain_pem);
    return blocks.empty() ? "" : blocks.front().der;
  } catch (const Error&) {
    return "";
  }
}

std::string SerialOf(std::string_view der) {
  auto certificate = Take(der, kSequence);
  if (!certificate) return "";
  auto to_be_signed = Take(*certificate, kSequence);
  if (!to_be_signed) return "";
  Take(*to_be_signed, kVersion);  // absent in version 1
  const auto serial = Take(*to_be_signed, kInteger);
  return serial ? Hex(*serial) : "";
}

}  // namespace certwright::traefik

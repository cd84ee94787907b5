// Serial numbers as people type them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certwright::store {

// The form of CertificateVersion::serial_hex (lower case, whole octets, a leading 00 where the top
// bit is set) of a number given in hex (colons, "0x" and leading zeros ignored) or in decimal; ""
// where the text is none, or is longer than a serial can be.
std::string SerialFromHex(std::string_view text);
std::string SerialFromDecimal(std::string_view text);
// What a text of digits can mean: decimal, as list-certificates prints it, comes first.
std::vector<std::string> SerialsMeant(std::string_view text);

}  // namespace certwright::store

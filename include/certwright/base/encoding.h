// Text forms of bytes. Bytes are std::string here: they come from and go to text protocols.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certwright {

// RFC 4648 section 5, without padding (RFC 7515 section 2).
std::string Base64Url(std::string_view bytes);
// nullopt on any character outside the alphabet, also padding and white space, and where bits that
// no byte holds are set.
std::optional<std::string> FromBase64Url(std::string_view text);
// At least one character, and all of the alphabet: what a token must be (RFC 8555 section 8.3).
bool IsBase64Url(std::string_view text);

// RFC 4648 section 4, padded, on one line. FromBase64 skips line breaks, nullopt on anything else.
std::string Base64(std::string_view bytes);
std::optional<std::string> FromBase64(std::string_view text);

std::string Hex(std::string_view bytes);  // lower case
int HexDigit(char c);                     // either case; -1: it is none
std::optional<std::string> FromHex(std::string_view text);

// The number whose big-endian two's complement this is (a DER INTEGER's content), in decimal digits.
std::string DecimalOfInteger(std::string_view octets);

// One textual encoding of RFC 7468.
struct PemBlock {
  std::string label;  // "CERTIFICATE"
  std::string der;
};

// All blocks of a text, what stands between them is ignored. Throws Error(kInput) on a block that
// has no end or is no base64, or when there are more than `max_blocks`.
std::vector<PemBlock> SplitPem(std::string_view text, std::size_t max_blocks = 10);
std::string ToPem(std::string_view label, std::string_view der);

}  // namespace certwright

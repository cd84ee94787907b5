#include "serial.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "certwright/base/text.h"

namespace certwright::store {
namespace {

// RFC 5280 section 4.1.2.2 allows 20 octets; some are longer.
constexpr std::size_t kMaxDigits = 100;

std::string AsDerInteger(std::string digits) {
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, first);
  if (digits.empty()) digits = "0";
  if (digits.size() % 2 != 0) digits.insert(0, "0");
  if (digits.front() >= '8') digits.insert(0, "00");
  return digits;
}

}  // namespace

std::string SerialFromHex(std::string_view text) {
  std::string digits = ToLower(Trim(text));
  if (digits.starts_with("0x")) digits.erase(0, 2);
  std::erase(digits, ':');
  const bool valid = !digits.empty() && digits.size() <= kMaxDigits &&
                     digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return valid ? AsDerInteger(std::move(digits)) : "";
}

std::string SerialFromDecimal(std::string_view text) {
  text = Trim(text);
  if (text.empty() || text.size() > kMaxDigits ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return "";
  }
  std::vector<std::uint8_t> nibbles;  // least significant first
  for (const char c : text) {
    int carry = c - '0';
    for (auto& nibble : nibbles) {
      carry += nibble * 10;
      nibble = carry & 0xf;
      carry >>= 4;
    }
    for (; carry > 0; carry >>= 4) nibbles.push_back(carry & 0xf);
  }
  std::string digits;
  for (auto nibble = nibbles.rbegin(); nibble != nibbles.rend(); ++nibble) {
    digits += "0123456789abcdef"[*nibble];
  }
  return AsDerInteger(std::move(digits));
}

std::vector<std::string> SerialsMeant(std::string_view text) {
  std::vector<std::string> meant{SerialFromDecimal(text), SerialFromHex(text)};
  std::erase(meant, "");
  return meant;
}

}  // namespace certwright::store

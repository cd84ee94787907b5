#include "certwright/base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHexDigits = "0123456789abcdef";

using ReverseTable = std::array<std::int8_t, 256>;

constexpr ReverseTable Reverse(std::string_view alphabet) {
  ReverseTable table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr ReverseTable kFromStandard = Reverse(kStandard);
constexpr ReverseTable kFromUrlSafe = Reverse(kUrlSafe);

std::string Encode(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += alphabet[(bits >> (held - 6)) & 0x3f];
  }
  if (held > 0) text += alphabet[(bits << (6 - held)) & 0x3f];
  while (padded && text.size() % 4 != 0) text += '=';
  return text;
}

// Also refuses bits left over that are not zero: one value has one text (RFC 4648 section 3.5).
std::optional<std::string> Decode(std::string_view text, const ReverseTable& table) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = table[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>((bits >> held) & 0xff);
    }
  }
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string WithoutBlanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') out += c;
  }
  return out;
}

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

// The next BEGIN that starts a line, or npos.
std::size_t FindBegin(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find(kBegin, from); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    std::size_t before = at;
    while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '\t')) --before;
    if (before == 0 || text[before - 1] == '\n' || text[before - 1] == '\r') return at;
  }
  return std::string_view::npos;
}

[[noreturn]] void BadPem(std::string detail) {
  throw Error(FailureCode::kInput, std::move(detail), "Give the whole PEM text, as it was issued.");
}

PemBlock DecodeBlock(std::string_view label, std::string_view body) {
  // Headers stand only in the pre-PKCS#8 form of a key with a passphrase (RFC 1421 section 4.4).
  if (body.find(':') != std::string_view::npos) {
    BadPem(Cat("the PEM block ", Printable(label, 60),
               " has headers: it is probably encrypted with a passphrase"));
  }
  std::optional<std::string> der = FromBase64(WithoutBlanks(body));
  if (!der || der->empty()) BadPem(Cat("the PEM block ", Printable(label, 60), " is no base64"));
  return {std::string(label), *std::move(der)};
}

}  // namespace

std::string Base64Url(std::string_view bytes) { return Encode(bytes, kUrlSafe, false); }

std::optional<std::string> FromBase64Url(std::string_view text) {
  return Decode(text, kFromUrlSafe);
}

bool IsBase64Url(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kUrlSafe) == std::string_view::npos;
}

std::string Base64(std::string_view bytes) { return Encode(bytes, kStandard, true); }

std::optional<std::string> FromBase64(std::string_view text) {
  std::string joined;
  joined.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(joined),
               [](char c) { return c != '\n' && c != '\r'; });
  if (joined.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !joined.empty() && joined.back() == '='; ++i) joined.pop_back();
  return Decode(joined, kFromStandard);
}

std::string Hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kHexDigits[value >> 4];
    text += kHexDigits[value & 0xf];
  }
  return text;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string DecimalOfInteger(std::string_view integer) {
  if (integer.empty()) return "0";
  std::string octets(integer);
  const bool is_negative = (octets.front() & 0x80) != 0;
  if (is_negative) {  // two's complement to magnitude
    int carry = 1;
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
      const int sum = static_cast<std::uint8_t>(~*octet) + carry;
      *octet = static_cast<char>(sum & 0xff);
      carry = sum >> 8;
    }
  }
  std::string digits;
  bool is_zero = false;
  while (!is_zero) {
    int remainder = 0;
    is_zero = true;
    for (char& octet : octets) {
      const int value = remainder * 256 + static_cast<std::uint8_t>(octet);
      octet = static_cast<char>(value / 10);
      remainder = value % 10;
      if (octet != 0) is_zero = false;
    }
    digits += static_cast<char>('0' + remainder);
  }
  if (is_negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::vector<PemBlock> SplitPem(std::string_view text, std::size_t max_blocks) {
  std::vector<PemBlock> blocks;
  std::size_t at = FindBegin(text, 0);
  while (at != std::string_view::npos) {
    if (blocks.size() == max_blocks) BadPem(Cat("more than ", max_blocks, " PEM blocks"));
    const std::size_t label_at = at + kBegin.size();
    const std::size_t label_end = text.find(kDashes, label_at);
    const std::string_view line =
        text.substr(label_at, text.find_first_of("\r\n", label_at) - label_at);
    if (label_end == std::string_view::npos || label_end > label_at + line.size()) {
      BadPem("a PEM block begins with a line that is cut off");
    }
    const std::string_view label = text.substr(label_at, label_end - label_at);
    const std::size_t body_at = label_end + kDashes.size();
    const std::string end = Cat("-----END ", label, kDashes);
    const std::size_t body_end = text.find(end, body_at);
    if (body_end == std::string_view::npos || FindBegin(text, body_at) < body_end) {
      BadPem(Cat("the PEM block ", Printable(label, 60), " has no end"));
    }
    blocks.push_back(DecodeBlock(label, text.substr(body_at, body_end - body_at)));
    at = FindBegin(text, body_end + end.size());
  }
  return blocks;
}

std::string ToPem(std::string_view label, std::string_view der) {
  constexpr std::size_t kLine = 64;  // RFC 7468 section 2
  const std::string body = Base64(der);
  std::string text = Cat(kBegin, label, kDashes, "\n");
  for (std::size_t i = 0; i < body.size(); i += kLine) text.append(body, i, kLine) += '\n';
  return text + Cat("-----END ", label, kDashes, "\n");
}

}  // namespace certwright

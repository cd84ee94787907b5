#include "distinguished_name.h"

#include <optional>
#include <vector>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "der.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

using namespace std::string_view_literals;

// A name may be as long as a CA likes; what is shown of it may not.
constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kMaxTextBytes = 1024;

struct AttributeType {
  std::string_view oid;
  std::string_view text;
};

// RFC 4514 section 3, and two more that every tool writes in words.
constexpr AttributeType kAttributeTypes[] = {
    {oid::kCommonName, "CN"},
    {"\x55\x04\x05"sv, "serialNumber"},
    {"\x55\x04\x06"sv, "C"},
    {"\x55\x04\x07"sv, "L"},
    {"\x55\x04\x08"sv, "ST"},
    {"\x55\x04\x09"sv, "STREET"},
    {"\x55\x04\x0a"sv, "O"},
    {"\x55\x04\x0b"sv, "OU"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, "UID"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "emailAddress"},
};

std::string DottedOid(std::string_view content) {
  std::string out;
  std::uint64_t arc = 0;
  for (const char c : content) {
    const auto octet = static_cast<std::uint8_t>(c);
    arc = arc << 7 | (octet & 0x7f);
    if (octet & 0x80) continue;
    if (out.empty()) {
      const std::uint64_t first = arc < 80 ? arc / 40 : 2;
      out = Cat(first, ".", arc - first * 40);
    } else {
      out += Cat(".", arc);
    }
    arc = 0;
  }
  return out;
}

void AppendUtf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// nullopt for a type that is no text. Surrogates of a BMPString become '?' in Printable.
std::optional<std::string> Text(const der::Value& value) {
  std::string out;
  switch (value.tag) {
    case der::kUtf8String:
    case der::kPrintableString:
    case der::kIa5String:
      out = value.content;
      break;
    case der::kTeletexString:  // by all who ever wrote it: Latin-1
      for (const char c : value.content) AppendUtf8(out, static_cast<std::uint8_t>(c));
      break;
    case der::kBmpString:
      for (std::size_t i = 0; i + 1 < value.content.size(); i += 2) {
        AppendUtf8(out, static_cast<std::uint8_t>(value.content[i]) << 8 |
                            static_cast<std::uint8_t>(value.content[i + 1]));
      }
      break;
    default:
      return std::nullopt;
  }
  return Printable(out, kMaxValueBytes);
}

// RFC 4514 section 2.4.
std::string Escaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool at_edge = i == 0 || i + 1 == text.size();
    if (R"("+,;<>\)"sv.find(c) != std::string_view::npos || (c == ' ' && at_edge) ||
        (c == '#' && i == 0)) {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string TypeText(std::string_view type) {
  for (const auto& [oid, text] : kAttributeTypes) {
    if (oid == type) return std::string(text);
  }
  return DottedOid(type);
}

}  // namespace

DistinguishedName ParseName(std::string_view bytes) {
  DistinguishedName name;
  std::string text;
  der::Reader sequence = der::Reader(bytes).Enter(der::kSequence);
  while (!sequence.AtEnd()) {
    der::Reader set = sequence.Enter(der::kSet);
    std::string relative;
    while (!set.AtEnd()) {
      der::Reader attribute = set.Enter(der::kSequence);
      const std::string_view type = attribute.Expect(der::kOid).content;
      const der::Value value = attribute.Next();
      const std::optional<std::string> shown = Text(value);
      if (type == oid::kCommonName && shown) name.common_name = *shown;
      if (!relative.empty()) relative += '+';
      relative += Cat(TypeText(type), "=",
                      shown ? Escaped(*shown) : Cat("#", Hex(value.whole.substr(0, kMaxValueBytes))));
    }
    // The encoding begins at the root, the text with the most specific (section 2.1).
    text = text.empty() ? relative : Cat(relative, ",", text);
    if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);
  }
  name.text = Printable(text, kMaxTextBytes);
  return name;
}

std::string CommonNameDer(std::string_view common_name) {
  const std::string attribute = der::Sequence(
      {der::Oid(oid::kCommonName), der::Encode(der::kUtf8String, common_name)});
  return der::Sequence({der::Encode(der::kSet, attribute)});
}

}  // namespace certwright::crypto

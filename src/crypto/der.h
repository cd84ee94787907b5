// DER (X.690), as much of it as certificates, requests and keys need: low tags, definite lengths.
//
// Own code because Botan's interface for it differs between its major versions, and because what
// a CA sends is read here first: strict, no recursion, no allocation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "certwright/base/error.h"

namespace certwright::crypto::der {

using Tag = std::uint8_t;

inline constexpr Tag kBoolean = 0x01;
inline constexpr Tag kInteger = 0x02;
inline constexpr Tag kBitString = 0x03;
inline constexpr Tag kOctetString = 0x04;
inline constexpr Tag kNull = 0x05;
inline constexpr Tag kOid = 0x06;
inline constexpr Tag kUtf8String = 0x0c;
inline constexpr Tag kPrintableString = 0x13;
inline constexpr Tag kTeletexString = 0x14;
inline constexpr Tag kIa5String = 0x16;
inline constexpr Tag kUtcTime = 0x17;
inline constexpr Tag kGeneralizedTime = 0x18;
inline constexpr Tag kBmpString = 0x1e;
inline constexpr Tag kSequence = 0x30;
inline constexpr Tag kSet = 0x31;
// Context-specific tags [n].
constexpr Tag Primitive(int n) { return static_cast<Tag>(0x80 | n); }
constexpr Tag Constructed(int n) { return static_cast<Tag>(0xa0 | n); }

struct Value {
  Tag tag = 0;
  std::string_view content;
  std::string_view whole;  // with tag and length
};

// The bytes are not what was expected: kInput, and the text never quotes them.
class Malformed : public Error {
 public:
  explicit Malformed(std::string_view what);
};

// Reads one value after the other; everything may throw Malformed. Views point into the given
// bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool AtEnd() const { return rest_.empty(); }
  bool NextIs(Tag tag) const;
  Value Next();
  Value Expect(Tag tag);
  std::optional<Value> Optional(Tag tag);
  Reader Enter(Tag tag) { return Reader(Expect(tag).content); }
  void ExpectEnd() const;

 private:
  std::string_view rest_;
};

// The octets of a BIT STRING without unused bits.
std::string_view BitStringOctets(const Value& value);

std::string Encode(Tag tag, std::string_view content);
std::string Encode(Tag tag, std::initializer_list<std::string_view> parts);
inline std::string Sequence(std::initializer_list<std::string_view> parts) {
  return Encode(kSequence, parts);
}
inline std::string Oid(std::string_view content) { return Encode(kOid, content); }
std::string BitString(std::string_view octets);

}  // namespace certwright::crypto::der

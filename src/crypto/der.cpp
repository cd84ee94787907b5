#include "der.h"

namespace certwright::crypto::der {

Malformed::Malformed(std::string_view what)
    : Error(FailureCode::kInput, "the DER encoding is malformed: " + std::string(what)) {}

bool Reader::NextIs(Tag tag) const {
  return !rest_.empty() && static_cast<Tag>(rest_.front()) == tag;
}

Value Reader::Next() {
  if (rest_.size() < 2) throw Malformed("it is cut off");
  const Tag tag = static_cast<Tag>(rest_[0]);
  if ((tag & 0x1f) == 0x1f) throw Malformed("it has a tag that is not known");
  std::size_t header = 2;
  std::size_t length = static_cast<std::uint8_t>(rest_[1]);
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7f;
    if (octets == 0 || octets > 4) throw Malformed("it has a length that is not allowed");
    if (rest_.size() < 2 + octets) throw Malformed("it is cut off");
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) {
      length = length << 8 | static_cast<std::uint8_t>(rest_[2 + i]);
    }
    header += octets;
    // X.690 section 10.1: the shortest form only.
    if (length < 0x80 || length >> (8 * (octets - 1)) == 0) {
      throw Malformed("a length is not minimal");
    }
  }
  if (length > rest_.size() - header) throw Malformed("it is cut off");
  const Value value{tag, rest_.substr(header, length), rest_.substr(0, header + length)};
  rest_.remove_prefix(header + length);
  return value;
}

Value Reader::Expect(Tag tag) {
  const Value value = Next();
  if (value.tag != tag) throw Malformed("it has another structure");
  return value;
}

std::optional<Value> Reader::Optional(Tag tag) {
  if (!NextIs(tag)) return std::nullopt;
  return Next();
}

void Reader::ExpectEnd() const {
  if (!AtEnd()) throw Malformed("something follows its end");
}

std::string_view BitStringOctets(const Value& value) {
  if (value.tag != kBitString || value.content.empty() || value.content.front() != 0) {
    throw Malformed("a bit string is not whole octets");
  }
  return value.content.substr(1);
}

std::string Encode(Tag tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    std::string length;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8) {
      length.insert(length.begin(), static_cast<char>(rest & 0xff));
    }
    out += static_cast<char>(0x80 | length.size());
    out += length;
  }
  out += content;
  return out;
}

std::string Encode(Tag tag, std::initializer_list<std::string_view> parts) {
  std::string content;
  for (const std::string_view part : parts) content += part;
  return Encode(tag, content);
}

std::string BitString(std::string_view octets) {
  return Encode(kBitString, {std::string_view("\0", 1), octets});
}

}  // namespace certwright::crypto::der

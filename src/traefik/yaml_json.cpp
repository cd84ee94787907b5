#include "yaml_json.h"

#include <cstdint>
#include <cstdio>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::traefik {
namespace {

// The code point at the start of `text` (which is UTF-8) and the number of its bytes.
struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

CodePoint First(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t value = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) value = (value << 6) | (byte(i) & 0x3fU);
  return {value, bytes};
}

bool NeedsEscape(std::uint32_t c) {
  return c < 0x20 || c == '"' || c == '\\' || c == '{' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
         c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

bool IsPlain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '{';
}

// What needs no look at its characters: nearly everything.
std::size_t PlainPrefix(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && IsPlain(text[size])) ++size;
  return size;
}

void WriteString(std::string_view text, std::string& out) {
  out += '"';
  const std::size_t plain = PlainPrefix(text);
  out += text.substr(0, plain);
  text.remove_prefix(plain);
  if (!IsUtf8(text)) {
    throw Error(FailureCode::kConfig,
                Cat("\"", Printable(text), "\" is not UTF-8 and cannot be written for Traefik"),
                "give the directory a name in UTF-8");
  }
  while (!text.empty()) {
    const CodePoint c = First(text);
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (NeedsEscape(c.value)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c.value & 0xffffU));
      out += escape;
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

void WriteValue(const json::Value& value, std::size_t depth, std::string& out);

void Indent(std::size_t depth, std::string& out) {
  out += '\n';
  out.append(2 * depth, ' ');
}

void WriteObject(const json::Value& value, std::size_t depth, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& [key, member] : value.Fields()) {
    if (member.IsObject() && member.Fields().empty() && key != "tls") continue;
    if (!first) out += ',';
    first = false;
    Indent(depth + 1, out);
    WriteString(key, out);
    out += ": ";
    WriteValue(member, depth + 1, out);
  }
  if (!first) Indent(depth, out);
  out += '}';
}

void WriteArray(const json::Value& value, std::size_t depth, std::string& out) {
  out += '[';
  bool first = true;
  for (const auto& item : value.Items()) {
    if (!first) out += ',';
    first = false;
    Indent(depth + 1, out);
    WriteValue(item, depth + 1, out);
  }
  if (!first) Indent(depth, out);
  out += ']';
}

void WriteValue(const json::Value& value, std::size_t depth, std::string& out) {
  if (value.IsObject()) {
    WriteObject(value, depth, out);
  } else if (value.IsArray()) {
    WriteArray(value, depth, out);
  } else if (value.IsString()) {
    WriteString(*value.AsString(), out);
  } else if (value.IsBool()) {
    out += *value.AsBool() ? "true" : "false";
  } else if (value.IsInt()) {
    out += std::to_string(*value.AsInt());
  } else {
    throw Error(FailureCode::kInternal, "null or a fraction in Traefik's configuration");
  }
}

}  // namespace

std::string WriteYamlJson(const json::Value& value) {
  std::string out;
  WriteValue(value, 0, out);
  out += '\n';
  return out;
}

}  // namespace certwright::traefik

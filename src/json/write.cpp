#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "certwright/base/text.h"
#include "certwright/json/value.h"

namespace certwright::json {
namespace {

// Escaped beyond what RFC 8259 demands: what would end a line or a script element, or is not
// allowed in YAML 1.2 (section 5.1), so that the text can stand inside another one.
bool NeedsEscape(char32_t code) {
  return code < 0x20 || code == '"' || code == '\\' || code == '<' ||
         (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
         code == 0xfffe || code == 0xffff;
}

void PutEscape(std::string& out, char32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      std::array<char, 8> text{};
      std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(code));
      out += text.data();
    }
  }
}

void PutString(std::string& out, std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
  out += '"';
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> code = TakeCodePoint(text);
    if (!code) {
      out += kReplacement;
    } else if (NeedsEscape(*code)) {
      PutEscape(out, *code);
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
  out += '"';
}

void PutDouble(std::string& out, double number) {
  if (!std::isfinite(number)) {  // JSON has no word for it
    out += "null";
    return;
  }
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  const std::string_view shown(text.data(), static_cast<std::size_t>(end - text.data()));
  out += shown;
  // It stays a floating number when it is read again.
  if (error == std::errc{} && shown.find_first_of(".e") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  explicit Writer(bool pretty) : pretty_(pretty) {}

  void Put(const Value& value) {
    if (value.IsObject()) {
      PutObject(value.Fields());
    } else if (value.IsArray()) {
      PutArray(value.Items());
    } else if (value.IsString()) {
      PutString(out_, *value.AsString());
    } else if (const std::optional<bool> flag = value.AsBool()) {
      out_ += *flag ? "true" : "false";
    } else if (value.IsInt()) {
      out_ += std::to_string(*value.AsInt());
    } else if (const std::optional<double> number = value.AsDouble()) {
      PutDouble(out_, *number);
    } else {
      out_ += "null";
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void PutObject(const Members& members) {
    out_ += '{';
    ++level_;
    for (const Member& member : members) {
      Separate(&member == &members.front());
      PutString(out_, member.first);
      out_ += pretty_ ? ": " : ":";
      Put(member.second);
    }
    Close(members.empty(), '}');
  }

  void PutArray(const Array& items) {
    out_ += '[';
    ++level_;
    for (const Value& item : items) {
      Separate(&item == &items.front());
      Put(item);
    }
    Close(items.empty(), ']');
  }

  void Separate(bool first) {
    if (!first) out_ += ',';
    NewLine();
  }

  void Close(bool empty, char bracket) {
    --level_;
    if (!empty) NewLine();
    out_ += bracket;
  }

  void NewLine() {
    if (pretty_) out_.append("\n").append(level_ * 2, ' ');
  }

  const bool pretty_;
  std::size_t level_ = 0;
  std::string out_;
};

std::string WriteWith(const Value& value, bool pretty) {
  Writer writer(pretty);
  writer.Put(value);
  return writer.Take();
}

}  // namespace

std::string Write(const Value& value) { return WriteWith(value, false); }
std::string Pretty(const Value& value) { return WriteWith(value, true); }

}  // namespace certwright::json

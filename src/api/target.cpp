#include "target.h"

#include <algorithm>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::api {

namespace {

[[noreturn]] void Refuse(std::string detail) {
  throw Error(FailureCode::kInput, std::move(detail));
}

// RFC 3986 section 2.1.
std::string Decoded(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte <= 0x20 || byte >= 0x7f) Refuse("the target holds a byte that has to be escaped");
    if (text[i] != '%') {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) Refuse("the target holds a % without two hexadecimal digits behind it");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!IsUtf8(decoded)) Refuse("the target is no UTF-8");
  return decoded;
}

}  // namespace

Target ParseTarget(std::string_view raw) {
  if (!raw.starts_with('/')) Refuse("the target is no absolute path");
  Target target;
  const std::size_t mark = raw.find('?');
  for (const std::string& segment : Split(raw.substr(1, mark == raw.npos ? mark : mark - 1), '/')) {
    target.segments.push_back(Decoded(segment, false));
  }
  if (mark == raw.npos || mark + 1 == raw.size()) return target;
  for (const std::string& part : Split(raw.substr(mark + 1), '&')) {
    const std::size_t equals = part.find('=');
    std::string name = Decoded(std::string_view(part).substr(0, equals), true);
    std::string value =
        equals == part.npos ? "" : Decoded(std::string_view(part).substr(equals + 1), true);
    if (name.empty()) Refuse("the query holds a parameter without a name");
    const bool twice = std::any_of(target.query.begin(), target.query.end(),
                                   [&](const auto& given) { return given.first == name; });
    if (twice) Refuse(Cat("the query gives ", Printable(name, 60), " twice"));
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return target;
}

std::string Escaped(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  std::string escaped;
  for (const char c : text) {
    if (kPlain.find(c) != kPlain.npos) {
      escaped += c;
    } else {
      escaped += Cat('%', Hex(std::string_view(&c, 1)));
    }
  }
  return escaped;
}

}  // namespace certwright::api

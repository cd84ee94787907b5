#include "idn.h"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "certwright/base/text.h"
#include "script.h"

namespace certwright::model {
namespace {

// UTS 46 non-transitional is IDNA 2008 with the mapping that people expect (upper case, full
// width).
constexpr int kFlags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
constexpr std::string_view kAPrefix = "xn--";

struct Idn2Free {
  void operator()(char* text) const { idn2_free(text); }
};
using Idn2Text = std::unique_ptr<char, Idn2Free>;

// The A-label form, or "" and libidn2's number.
std::string Lookup(const std::string& text, int& status) {
  std::uint8_t* raw = nullptr;
  status = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &raw, kFlags);
  const Idn2Text owned(reinterpret_cast<char*>(raw));
  return status == IDN2_OK ? std::string(owned.get()) : std::string();
}

std::string ToUnicode(const std::string& ascii) {
  char* raw = nullptr;
  const int status = idn2_to_unicode_8z8z(ascii.c_str(), &raw, kFlags);
  const Idn2Text owned(raw);
  return status == IDN2_OK ? std::string(owned.get()) : std::string();
}

std::string Why(int status) {
  switch (status) {
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT:
      return "a part between dots is longer than 63 bytes as punycode";
    case IDN2_TOO_BIG_DOMAIN:
      return "it is longer than 253 bytes as punycode";
    default:
      return Cat("it is no valid international name (", idn2_strerror(status), ")");
  }
}

}  // namespace

bool IsInternational(std::string_view host) {
  const bool foreign =
      std::any_of(host.begin(), host.end(), [](char c) { return c < 0 || c > 0x7e; });
  if (foreign) return true;
  for (const std::string& label : Split(ToLower(host), '.')) {
    if (label.starts_with(kAPrefix)) return true;
  }
  return false;
}

IdnResult ToAscii(std::string_view host) {
  int status = IDN2_OK;
  const std::string ascii = ToLower(Lookup(ToLower(host), status));
  if (status != IDN2_OK) return {"", Why(status)};
  for (const std::string& label : Split(ascii, '.')) {
    if (!label.starts_with(kAPrefix)) continue;
    const std::string shown = ToUnicode(label);
    if (shown.empty() || Lookup(shown, status) != label) {
      return {"", Cat("\"", Printable(label, 63), "\" is no valid punycode")};
    }
    const std::string mixed = MixedScripts(shown);
    if (!mixed.empty())
      return {"", Cat("\"", Printable(shown, 80), "\" mixes ", mixed, " letters")};
  }
  return {ascii, ""};
}

}  // namespace certwright::model

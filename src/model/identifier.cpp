#include "certwright/model/identifier.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "idn.h"

namespace certwright::model {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, as text without the root's dot
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxNames = 100;  // what CAs take in one order
constexpr std::string_view kWildcard = "*.";

constexpr std::string_view kNameAdvice =
    "Give a full host name as in the DNS, for example www.example.org, *.example.org or an IP "
    "address; no scheme, port or path.";

[[noreturn]] void Refuse(std::string_view text, std::string_view why) {
  Failure failure;
  failure.code = FailureCode::kInput;
  const std::string shown = Printable(text, 80);
  failure.detail = Cat("\"", shown, "\" is no name for a certificate: ", why);
  failure.advice = kNameAdvice;
  failure.identifiers = {shown};
  throw Error(std::move(failure));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c); }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::string_view LastLabel(std::string_view host) { return host.substr(host.rfind('.') + 1); }

// The canonical text (RFC 5952 section 4 is what inet_ntop writes), or "".
std::string CanonicalIp(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (inet_pton(family, text.c_str(), address.data()) != 1) return "";
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(family, address.data(), out.data(), out.size());
  return out.data();
}

// nullopt: it is not meant as an IP address.
std::optional<Identifier> ParseIp(std::string_view text) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  const std::string bare(bracketed ? text.substr(1, text.size() - 2) : text);
  const bool like_v6 = std::count(bare.begin(), bare.end(), ':') >= 2;
  if (like_v6 && bare.find('%') != std::string::npos) {
    Refuse(text, "an address with a zone (%) has a meaning on this machine only");
  }
  std::string address = CanonicalIp(AF_INET6, bare);
  if (address.empty() && !bracketed) address = CanonicalIp(AF_INET, bare);
  if (address == "0.0.0.0" || address == "::") Refuse(text, "it is the address of no machine");
  if (!address.empty()) return Identifier{IdentifierType::kIp, address};
  if (bracketed ||
      (like_v6 && bare.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos)) {
    Refuse(text, "it is no IPv6 address");
  }
  return std::nullopt;
}

// What is wrong with an ASCII character, "" where it may stand in a host name.
std::string WrongCharacter(char c) {
  if (c < 0 || IsLetterOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.') return "";
  if (c == '_') return "an underscore may not stand in a host name";
  if (c == '*') return "a wildcard may only be the whole first part, as in *.example.org";
  if (c == ' ') return "it has a blank in it";
  if (c < 0x20 || c == 0x7f) return "it has a control character in it";
  return Cat("the character ", c, " may not stand in a host name");
}

void CheckLabel(std::string_view text, std::string_view label) {
  if (label.empty()) Refuse(text, "there is nothing between two dots, or before the first");
  if (label.size() > kMaxLabel) {
    Refuse(text, Cat("a part between dots is longer than 63 bytes (", label.size(), ")"));
  }
  if (label.front() == '-' || label.back() == '-') {
    Refuse(text, "a part between dots begins or ends with a hyphen");
  }
  for (const char c : label) {
    if (!IsLetterOrDigit(c) && c != '-') {
      Refuse(text, "it holds characters that may not stand in a host name");
    }
  }
}

// Whatever the way to it, what leaves here is made of LDH labels.
void CheckHost(std::string_view text, std::string_view host, bool wildcard) {
  if (host.ends_with('.')) Refuse(text, "it ends with a dot");
  const std::vector<std::string> labels = Split(host, '.');
  for (const std::string& label : labels) CheckLabel(text, label);
  const std::size_t size = host.size() + (wildcard ? kWildcard.size() : 0);
  if (size > kMaxName) Refuse(text, Cat("it is longer than 253 bytes (", size, ")"));
  if (AllDigits(labels.back())) Refuse(text, "it looks like an IP address but is none");
  if (labels.size() < 2) {
    Refuse(text, wildcard ? "a wildcard needs at least two parts after it" : "it has no dot in it");
  }
}

std::string ParseHost(std::string_view text) {
  const bool wildcard = text.starts_with(kWildcard);
  const std::string_view given = wildcard ? text.substr(kWildcard.size()) : text;
  for (const char c : given) {
    const std::string wrong = WrongCharacter(c);
    if (!wrong.empty()) Refuse(text, wrong);
  }
  if (given.ends_with('.') && given.size() > 1) Refuse(text, "it ends with a dot");
  std::string host = ToLower(given);
  if (IsInternational(host)) {
    // Empty labels are ours to name: libidn2's words for them are not clear.
    if (host.starts_with('.') || host.find("..") != std::string::npos) CheckLabel(text, "");
    IdnResult converted = ToAscii(host);
    if (!converted.wrong.empty()) Refuse(text, converted.wrong);
    host = std::move(converted.ascii);
  }
  CheckHost(text, host, wildcard);
  return wildcard ? Cat(kWildcard, host) : host;
}

}  // namespace

std::string_view TypeName(IdentifierType type) {
  return type == IdentifierType::kIp ? "ip" : "dns";
}

Identifier ParseIdentifier(std::string_view text) {
  constexpr std::size_t kLongestText = 2048;  // no name gets shorter by conversion this much
  if (text.empty()) Refuse(text, "it is empty");
  if (text.size() > kLongestText) Refuse(text, "it is far too long");
  if (!IsUtf8(text)) Refuse(text, "it is not UTF-8");
  if (text.find('\0') != std::string_view::npos) Refuse(text, "it has a control character in it");
  if (std::optional<Identifier> ip = ParseIp(text)) return *std::move(ip);
  return {IdentifierType::kDns, ParseHost(text)};
}

std::vector<Identifier> ParseIdentifiers(const std::vector<std::string>& texts) {
  std::vector<Identifier> found;
  found.reserve(texts.size());
  for (const std::string& text : texts) found.push_back(ParseIdentifier(text));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty())
    throw Error(FailureCode::kInput, "no name was given", std::string(kNameAdvice));
  if (found.size() > kMaxNames) {
    throw Error(FailureCode::kInput, Cat(found.size(), " names for one certificate are too many"),
                Cat("Ask for at most ", kMaxNames, " names at once."));
  }
  return found;
}

std::string NameSetKey(const std::vector<Identifier>& identifiers) {
  std::vector<Identifier> sorted = identifiers;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return Join(Names(sorted), ",");
}

std::vector<std::string> Names(const std::vector<Identifier>& identifiers) {
  std::vector<std::string> names;
  names.reserve(identifiers.size());
  for (const Identifier& identifier : identifiers) names.push_back(identifier.value);
  return names;
}

bool Covers(std::string_view pattern, std::string_view name) {
  if (pattern == name) return true;
  if (!pattern.starts_with(kWildcard)) return false;
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && !AllDigits(LastLabel(name)) &&
         name.substr(dot) == pattern.substr(1);
}

std::string WildcardFor(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || AllDigits(LastLabel(name))) return "";
  const std::string_view parent = name.substr(dot + 1);
  const bool deep =
      parent.find('.') != std::string_view::npos && parent.find(':') == std::string_view::npos;
  return deep ? Cat(kWildcard, parent) : "";
}

}  // namespace certwright::model

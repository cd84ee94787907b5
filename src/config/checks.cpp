#include "checks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "certwright/base/text.h"
#include "certwright/config/config.h"
#include "certwright/model/event_kinds.h"

namespace certwright::config {
namespace {

struct KnownCa {
  std::string_view name;
  std::string_view directory;
};
constexpr std::array kKnownCas = {
    KnownCa{"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"},
    KnownCa{"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"},
    KnownCa{"zerossl", "https://acme.zerossl.com/v2/DV90"},
    KnownCa{"google", "https://dv.acme-v02.api.pki.goog/directory"},
    KnownCa{"google-staging", "https://dv.acme-v02.test-api.pki.goog/directory"},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         c == '-';
}

std::int64_t UnitSeconds(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

struct HostPort {
  std::string host;
  bool bracketed = false;
};

// Splits off and checks the port; the host may be empty.
HostPort SplitHostPort(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) throw Problem{"has no port; write ADDRESS:PORT"};
  const auto port_text = text.substr(colon + 1);
  int port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port < 1 ||
      port > 65535) {
    throw Problem{"has no good port behind the last colon; ports go from 1 to 65535"};
  }
  auto host = text.substr(0, colon);
  HostPort result;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    result.bracketed = true;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    throw Problem{"is an IPv6 address without brackets; write [ADDRESS]:PORT"};
  }
  result.host = std::string(host);
  return result;
}

bool IsIpv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}
bool IsIpv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}
bool IsHostName(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), IsWordByte);
}

// "host:port" of a URL that CheckUrl took.
std::string_view Authority(std::string_view url) {
  url.remove_prefix(url.find("//") + 2);
  return url.substr(0, url.find_first_of("/?"));
}

std::string_view HostOf(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

std::int64_t ParseDuration(std::string_view text) {
  const Problem wrong{"is no duration; write a number and a unit (s, m, h, d or w)"};
  std::int64_t total = 0;
  if (text.empty()) throw wrong;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto used = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || number < 0 || used >= text.size()) throw wrong;
    const std::int64_t unit = UnitSeconds(text[used]);
    std::int64_t seconds = 0;
    if (unit == 0 || __builtin_mul_overflow(number, unit, &seconds) ||
        __builtin_add_overflow(total, seconds, &total)) {
      throw wrong;
    }
    text.remove_prefix(used + 1);
  }
  return total;
}

std::string DurationText(std::int64_t seconds) {
  if (seconds >= 3600 && seconds % 3600 == 0) return Cat(seconds / 3600, "h");
  if (seconds > 3600 && seconds % 60 == 0) return Cat(seconds / 60, "m");
  return Cat(seconds, "s");
}

namespace {

unsigned ParseMode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() ||
      (text.size() != 3 && text.size() != 4)) {
    throw Problem{"is no mode; write four octal digits"};
  }
  return mode;
}

}  // namespace

mode_t ParseSocketMode(std::string_view text) {
  const unsigned mode = ParseMode(text);
  if ((mode & ~0666U) != 0 || (mode & 0600U) != 0600U) {
    throw Problem{
        "is no mode for a socket; its owner reads and writes, nobody executes: from 0600 to 0666"};
  }
  return static_cast<mode_t>(mode);
}

mode_t ParseFileMode(std::string_view text) {
  const unsigned mode = ParseMode(text);
  if ((mode & ~0644U) != 0 || (mode & 0400U) == 0) {
    throw Problem{
        "is no mode for such a file; its owner reads it, nobody else writes it, nobody executes "
        "it: 0600, 0640 or 0644 for instance"};
  }
  return static_cast<mode_t>(mode);
}

void CheckListen(std::string_view text) {
  const HostPort parts = SplitHostPort(text);
  const bool good = parts.bracketed ? IsIpv6(parts.host) : parts.host.empty() || IsIpv4(parts.host);
  if (!good) throw Problem{"has no IP address before the port; names are not looked up here"};
}

void CheckLocalListen(std::string_view text) {
  CheckListen(text);
  const std::string host = SplitHostPort(text).host;
  if (!host.starts_with("127.") && host != "::1") {
    throw Problem{"is not on loopback; wanted is 127.0.0.1:PORT or [::1]:PORT"};
  }
}

void CheckServer(std::string_view text) {
  CheckListen(text);
  if (text.starts_with(':')) throw Problem{"has no IP address before the port"};
}

void CheckAddress(std::string_view text) {
  const HostPort parts = SplitHostPort(text);
  const bool good = parts.bracketed ? IsIpv6(parts.host) : IsHostName(parts.host);
  if (!good) throw Problem{"has no host before the port; write HOST:PORT"};
}

std::vector<std::string> KnownDirectories() {
  std::vector<std::string> directories;
  for (const KnownCa& ca : kKnownCas) directories.emplace_back(ca.directory);
  return directories;
}

std::string DirectoryOf(const std::string& name) {
  for (const KnownCa& ca : kKnownCas) {
    if (ca.name == name) return std::string(ca.directory);
  }
  return name;
}

std::string ResolveDirectory(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& ca : kKnownCas) {
    if (ca.name == text) return std::string(ca.directory);
    names.emplace_back(ca.name);
  }
  if (text.find(':') == std::string_view::npos) {
    const std::string nearest = Nearest(text, names);
    throw Problem{Cat("\"", Printable(text, 80), "\" is neither a URL nor a short name",
                      nearest.empty() ? "" : Cat("; did you mean \"", nearest, "\"?"),
                      nearest.empty() ? "; short names are " + Join(names, ", ") : "")};
  }
  CheckUrl(text);
  return std::string(text);
}

void CheckUrl(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    throw Problem{"is no URL that begins with https:// or http://"};
  }
  if (url.find_first_of(" \"<>\\#") != std::string_view::npos) {
    throw Problem{"holds a character that has no place in this URL (blank, quote, backslash or #)"};
  }
  const auto authority = Authority(url);
  if (authority.find('@') != std::string_view::npos) throw Problem{"has a user name in its URL"};
  const auto host = HostOf(authority);
  const bool bracketed = authority.starts_with('[');
  if (bracketed ? !IsIpv6(std::string(host)) : !IsHostName(host)) {
    throw Problem{"is a URL without a good host"};
  }
  const auto rest = authority.substr(host.size() + (bracketed ? 2 : 0));
  if (!rest.empty()) SplitHostPort(Cat("h", rest));
}

bool IsHttp(std::string_view url) { return url.starts_with("http://"); }

bool IsLoopbackUrl(std::string_view url) {
  const std::string host(HostOf(Authority(url)));
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && IsIpv4(host);
}

void CheckEmail(std::string_view text) {
  if (text.starts_with("mailto:")) throw Problem{"is written without \"mailto:\""};
  const auto at = text.rfind('@');
  const bool good = at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                    text.find_first_of(" ,;<>?\"") == std::string_view::npos &&
                    std::count(text.begin(), text.end(), '@') == 1;
  if (!good) throw Problem{"is no single mail address"};
}

void CheckKind(std::string_view text) {
  std::vector<std::string> kinds(model::kEventKinds.begin(), model::kEventKinds.end());
  if (std::find(kinds.begin(), kinds.end(), text) != kinds.end()) return;
  const std::string nearest = Nearest(text, kinds);
  throw Problem{Cat("is no kind of event; ", nearest.empty()
                                                 ? Cat("there are ", Join(kinds, ", "))
                                                 : Cat("did you mean \"", nearest, "\"?"))};
}

void CheckWord(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsWordByte)) {
    throw Problem{"holds something else than letters, digits, \"_\", \".\" and \"-\""};
  }
}

}  // namespace certwright::config

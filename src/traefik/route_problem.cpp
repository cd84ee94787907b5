#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"
#include "certwright/model/identifier.h"
#include "certwright/traefik/routes.h"

namespace certwright::traefik {
namespace {

// Names become keys, and Traefik's YAML parser takes keys of at most 1,024 characters.
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestPath = 2048;
constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestValue = 8 * 1024;
constexpr std::size_t kMostEntries = 1000;

// What is wrong, in words; "" for nothing.
using Words = std::string;

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool AllOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return IsLetterOrDigit(c) || (c != '\0' && others.find(c) != std::string_view::npos);
  });
}

Words Quoted(std::string_view text, std::string_view what) {
  return Cat('"', Printable(text, 80), "\" ", what);
}

Words WrongInstance(const std::string& instance) {
  if (instance.empty()) return "it is empty";
  if (instance.size() > kLongestName) return Cat("it is longer than ", kLongestName, " bytes");
  if (instance.front() == '_' || instance.front() == '.' || !AllOf(instance, "_.-")) {
    return Quoted(instance, "is no name of letters, digits, - and, after the first, also _ and .");
  }
  return "";
}

Words WrongHost(const std::string& host) {
  // No name of the public DNS, but clients on the machine say it.
  if (host.empty() || host == "localhost") return "";
  try {
    const auto parsed = model::ParseIdentifier(host);
    const bool is_v6 = parsed.value.find(':') != std::string::npos;
    return is_v6 ? Quoted(host, "is an IPv6 address: a route needs a name") : "";
  } catch (const Error& error) {
    return error.failure().detail;
  }
}

// RFC 3986 section 3.3 without percent-encoding: these are the characters that a client sends as
// they are, so that rule, prefix and redirect all see the same text.
Words WrongPath(const std::string& path) {
  if (path.empty()) return "";
  if (path.front() != '/') return Quoted(path, "does not begin with /");
  if (path.size() > kLongestPath) return Cat("it is longer than ", kLongestPath, " bytes");
  if (!AllOf(path, "/-._~!$&'()*+,;=:@")) {
    return Quoted(path, "holds a character that may not stand in the path of a URL as it is");
  }
  // Traefik cleans these away before it looks at its rules.
  for (const std::string& segment : Split(path, '/')) {
    if (segment == "." || segment == "..") return Quoted(path, "has a . or .. between two slashes");
  }
  if (path.find("//") != std::string::npos) return Quoted(path, "has nothing between two slashes");
  return "";
}

bool HasBrokenEscape(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    const auto digits = text.substr(at + 1, 2);
    if (digits.size() < 2 || digits.find_first_not_of(kHex) != std::string_view::npos) return true;
  }
  return false;
}

Words WrongUrl(const std::string& url) {
  if (url.size() > kLongestUrl) return Cat("it is longer than ", kLongestUrl, " bytes");
  const std::string scheme = ToLower(url.substr(0, url.find("://")));
  if (scheme.size() < url.size() && scheme != "http" && scheme != "https") {
    return Quoted(url, "begins with neither http:// nor https://");
  }
  try {
    http::ParseUrl(url);
  } catch (const Error& error) {
    return error.failure().detail;
  }
  if (!AllOf(url, "-._~:/?#[]@!$&'()*+,;=%") || HasBrokenEscape(url)) {
    return Quoted(url, "holds a character that may not stand in a URL (RFC 3986 section 2)");
  }
  return "";
}

Words WrongNetworks(const std::vector<std::string>& networks) {
  if (networks.size() > kMostEntries) return Cat("it has more than ", kMostEntries, " entries");
  for (const auto& text : networks) {
    if (!IsNetwork(text)) return Quoted(text, "is no IP address and no network (as 192.0.2.0/24)");
  }
  return "";
}

// RFC 9110 section 5.6.2.
Words WrongHeaderName(const std::string& name) {
  if (name.size() > kLongestName) return Cat("a name is longer than ", kLongestName, " bytes");
  if (name.empty() || !AllOf(name, "!#$%&'*+-.^_`|~")) {
    return Quoted(name, "is no name of a header (RFC 9110 section 5.1)");
  }
  return "";
}

Words WrongHeaderValue(const std::string& name, const std::string& value) {
  if (value.size() > kLongestValue) {
    return Cat("the value of ", name, " is longer than ", kLongestValue, " bytes");
  }
  const bool has_control = std::ranges::any_of(value, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (has_control) return Cat("the value of ", name, " holds a control character");
  return IsUtf8(value) ? "" : Cat("the value of ", name, " is not UTF-8");
}

Words WrongHeaders(const model::HeaderValues& headers) {
  if (headers.size() > kMostEntries) return Cat("there are more than ", kMostEntries);
  std::set<std::string> seen;
  for (const auto& [name, value] : headers) {
    if (Words words = WrongHeaderName(name); !words.empty()) return words;
    if (!seen.insert(ToLower(name)).second) {
      return Quoted(name, "is there twice, for the case of its letters says nothing");
    }
    if (Words words = WrongHeaderValue(name, value); !words.empty()) return words;
  }
  return "";
}

Words WrongHeaderNames(const std::vector<std::string>& names) {
  if (names.size() > kMostEntries) return Cat("it has more than ", kMostEntries, " entries");
  for (const auto& name : names) {
    if (Words words = WrongHeaderName(name); !words.empty()) return words;
  }
  return "";
}

Words WrongPriority(const std::optional<std::int64_t>& priority) {
  if (!priority || (*priority >= 0 && *priority <= kHighestRoutePriority)) return "";
  return Cat(*priority, " is not between 0 and ", kHighestRoutePriority);
}

}  // namespace

bool IsNetwork(const std::string& text) {
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) return false;
  const bool is_v6 = address.find(':') != std::string::npos;
  try {
    // "any" is the address of no machine, but 0.0.0.0/0 and ::/0 are everybody.
    const bool any = slash != std::string::npos && (address == "0.0.0.0" || address == "::");
    if (!any && model::ParseIdentifier(address).type != model::IdentifierType::kIp) return false;
  } catch (const Error&) {
    return false;
  }
  if (slash == std::string::npos) return true;
  const std::string bits = text.substr(slash + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), number);
  const bool is_canonical = error == std::errc() && end == bits.data() + bits.size() &&
                            bits == std::to_string(number);
  return is_canonical && number >= 0 && number <= (is_v6 ? 128 : 32);
}

bool IsHeaderName(const std::string& name) { return WrongHeaderName(name).empty(); }

std::optional<RouteProblem> ProblemOf(const model::Route& route) {
  const model::ForwardAuth auth = route.forward_auth.value_or(model::ForwardAuth{});
  const bool everything = route.host.empty() && route.path.empty();
  const std::pair<const char*, Words> findings[] = {
      {"instance", WrongInstance(route.instance)},
      {"url", WrongUrl(route.url)},
      {"host", everything ? "neither a host nor a path is given" : WrongHost(route.host)},
      {"path", WrongPath(route.path)},
      {"priority", WrongPriority(route.priority)},
      {"ip_allowlist", WrongNetworks(route.ip_allowlist)},
      {"headers.request", WrongHeaders(route.request_headers)},
      {"headers.response", WrongHeaders(route.response_headers)},
      {"forward_auth.address", route.forward_auth ? WrongUrl(auth.address) : ""},
      {"forward_auth.auth_response_headers", WrongHeaderNames(auth.auth_response_headers)},
  };
  for (const auto& [field, words] : findings) {
    if (!words.empty()) return RouteProblem{field, words};
  }
  return std::nullopt;
}

}  // namespace certwright::traefik

#include <arpa/inet.h>

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"

namespace certwright::http {
namespace {

constexpr std::size_t kMaxUrl = 8 * 1024;

[[noreturn]] void Refuse(std::string_view url, std::string_view why) {
  throw Error(FailureCode::kProtocol, Cat("\"", Printable(url, 200), "\" is no usable URL: ", why));
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

int ParsePort(std::string_view url, std::string_view digits) {
  int port = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') Refuse(url, "the port is no number");
    port = port * 10 + (c - '0');
    if (port > 65535) Refuse(url, "the port is over 65535");
  }
  if (port == 0) Refuse(url, "the port is empty or 0");
  return port;
}

void CheckHost(std::string_view url, const Url& parts, bool brackets) {
  if (brackets) {
    in6_addr ignored;
    if (inet_pton(AF_INET6, parts.host.c_str(), &ignored) != 1) Refuse(url, "no IPv6 address");
    return;
  }
  if (parts.host.empty()) Refuse(url, "it has no host");
  if (parts.host.size() > 253 || !std::ranges::all_of(parts.host, IsHostCharacter)) {
    Refuse(url, "the host is no DNS name and no IP address");
  }
}

}  // namespace

Url ParseUrl(std::string_view url) {
  if (url.size() > kMaxUrl) Refuse(url, "it is over 8 KiB");
  // RFC 3986 section 2: a URI is printable ASCII. A blank or a line end would become part of the
  // request that is sent.
  if (!std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; })) {
    Refuse(url, "it has a blank, a control character or one beyond ASCII");
  }
  Url parts;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) Refuse(url, "it is not absolute");
  parts.scheme = ToLower(url.substr(0, colon));
  if (parts.scheme != "https" && parts.scheme != "http") Refuse(url, "URL is not https");
  std::string_view rest = url.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) Refuse(url, "it has a fragment");
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  parts.target = rest.substr(end);
  if (parts.target.empty() || parts.target[0] != '/') parts.target.insert(0, 1, '/');
  if (authority.find('@') != std::string_view::npos) Refuse(url, "it has user information");

  const bool brackets = authority.starts_with('[');
  std::size_t host_end = brackets ? authority.find(']') : authority.find(':');
  if (brackets && host_end == std::string_view::npos) Refuse(url, "no IPv6 address");
  host_end = std::min(host_end, authority.size());
  parts.host = ToLower(authority.substr(brackets ? 1 : 0, host_end - (brackets ? 1 : 0)));
  std::string_view port =
      authority.substr(std::min(host_end + (brackets ? 1 : 0), authority.size()));
  if (port.empty()) {
    parts.port = parts.scheme == "https" ? 443 : 80;
  } else {
    if (port[0] != ':') Refuse(url, "no IPv6 address");
    parts.port = ParsePort(url, port.substr(1));
  }
  if (!brackets && parts.host.ends_with('.')) parts.host.pop_back();  // the root's dot
  CheckHost(url, parts, brackets);
  return parts;
}

bool IsLoopback(const Url& url) {
  if (url.host == "localhost") return true;
  in_addr four;
  if (inet_pton(AF_INET, url.host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six;
  return inet_pton(AF_INET6, url.host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace certwright::http

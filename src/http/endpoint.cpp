#include <arpa/inet.h>

#include <charconv>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/responder.h"

namespace certwright::http {
namespace {

[[noreturn]] void Refuse(std::string_view text, std::string_view why) {
  throw Error(FailureCode::kConfig,
              Cat("\"", Printable(text, 80), "\" is no listen address: ", why),
              "write 127.0.0.1:9180, [::1]:9180, or :80 for all addresses");
}

}  // namespace

Endpoint ParseEndpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) Refuse(text, "it has no port");
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    Refuse(text, "the port is no number from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  unsigned char ignored[sizeof(in6_addr)];
  if (host.empty()) return {"::", port};
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), ignored) != 1) Refuse(text, "no IPv6 address");
  } else if (inet_pton(AF_INET, host.c_str(), ignored) != 1) {
    Refuse(text, "no IP address (IPv6 stands in brackets)");
  }
  return {std::move(host), port};
}

}  // namespace certwright::http

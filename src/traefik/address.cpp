#include "address.h"

#include <charconv>

namespace certwright::traefik {

std::optional<HostPort> ParseAddress(std::string text) {
  text = text.substr(0, text.find('/'));
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  HostPort address;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end || address.port < 1) return std::nullopt;
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty() || address.host == "0.0.0.0" || address.host == "::") {
    address.host = "127.0.0.1";
  }
  return address;
}

}  // namespace certwright::traefik

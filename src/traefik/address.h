// Where an entry point listens, as seen from this machine.
#pragma once

#include <optional>
#include <string>

namespace certwright::traefik {

struct Address {
  std::string host;
  int port = 0;
};

// "host:port" as written or as Traefik says it: "/tcp" at the end, and no host or an "any" address
// where it listens on all.
std::optional<Address> ParseAddress(std::string text);

}  // namespace certwright::traefik

// Which routes can be written for Traefik (invariant I5): what passes here is served with exactly
// the values given.
#pragma once

#include <optional>
#include <string>

#include "certwright/model/route.h"

namespace certwright::traefik {

struct RouteProblem {
  // instance, url, host, path, priority, ip_allowlist, headers.request, headers.response,
  // forward_auth.address or forward_auth.auth_response_headers
  std::string field;
  std::string words;  // what is wrong, for a person; safe to print
};

// An address, or a network: an address, a slash and the number of its leading bits.
bool IsNetwork(const std::string& text);
// RFC 9110 section 5.1, and not too long.
bool IsHeaderName(const std::string& name);

// Above it a route could come before what Certwright itself needs (the challenges of HTTP-01).
inline constexpr std::int64_t kHighestRoutePriority = 899'999;

// The first thing that could not be written, or would not do in Traefik what was meant: a host that
// is no name, a path with characters that its clients send otherwise, an address that is none, a
// header that HTTP does not know (RFC 9110 section 5), a text over its limit. nullopt: all is well.
std::optional<RouteProblem> ProblemOf(const model::Route& route);

}  // namespace certwright::traefik

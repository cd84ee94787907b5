// Which requests a route takes, in Traefik's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/model/route.h"

namespace certwright::traefik {

// Below what Traefik keeps for itself, above what any route has.
inline constexpr int kChallengePriority = 1'000'000;

// Without the slash at its end; "" for "/" too, which stands for every path.
std::string PathPrefixOf(const model::Route& route);

// Host("a.example.org") && (Path("/foo") || PathPrefix("/foo/")). The texts are Go string literals
// in double quotes.
std::string RuleOf(const model::Route& route);

// A regular expression (Go's) that matches exactly `text`.
std::string QuoteRegex(std::string_view text);

// One number for each route, for Traefik decides by chance between two that are equal. They keep
// the order of the priorities that were asked for; of equal ones an exact host comes before a
// wildcard and that before any host, then the longer path, then the instance that comes first. Each
// is the smallest that is not below what was asked for and above the one before it: a priority that
// no other route has near it stands as it was given. Throws Error(kInternal) where they reach
// kChallengePriority.
std::vector<std::int64_t> NumberedPriorities(const std::vector<model::Route>& routes);

}  // namespace certwright::traefik

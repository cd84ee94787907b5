#include "route_rule.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/model/identifier.h"

namespace certwright::traefik {
namespace {

// ProblemOf lets nothing else through; here is the second wall.
std::string Literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c < 0x20 || c >= 0x7f) {
      throw Error(FailureCode::kInternal, "a rule for Traefik holds more than printable ASCII");
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string HostOf(const model::Route& route) {
  return route.host == "localhost" ? route.host : model::ParseIdentifier(route.host).value;
}

std::string PathRule(const std::string& prefix) {
  if (prefix.empty()) return Cat("PathPrefix(", Literal("/"), ")");
  // PathPrefix("/foo") alone would take /foobar too.
  return Cat("(Path(", Literal(prefix), ") || PathPrefix(", Literal(prefix + "/"), "))");
}

auto Rank(const model::Route& route) {
  const int host = route.host.empty() ? 0 : route.host.starts_with("*.") ? 1 : 2;
  return std::tuple(route.priority.value_or(model::DefaultPriority(route)), host,
                    PathPrefixOf(route).size());
}

}  // namespace

std::string PathPrefixOf(const model::Route& route) {
  std::string path = route.path;
  if (path.ends_with('/')) path.pop_back();
  return path;
}

std::string RuleOf(const model::Route& route) {
  if (route.host.empty()) return PathRule(PathPrefixOf(route));
  const std::string host = Cat("Host(", Literal(HostOf(route)), ")");
  return route.path.empty() ? host : Cat(host, " && ", PathRule(PathPrefixOf(route)));
}

std::string QuoteRegex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::vector<std::int64_t> NumberedPriorities(const std::vector<model::Route>& routes) {
  std::vector<std::size_t> order(routes.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto of_a = Rank(routes[a]);
    const auto of_b = Rank(routes[b]);
    return of_a != of_b ? of_a < of_b : routes[a].instance > routes[b].instance;
  });
  std::vector<std::int64_t> numbers(routes.size());
  std::int64_t last = 0;
  for (const std::size_t i : order) {
    last = std::max(last + 1, std::get<0>(Rank(routes[i])));
    numbers[i] = last;
  }
  if (last >= kChallengePriority) {
    throw Error(FailureCode::kInternal, "the routes need more priorities than there are",
                "remove routes, or lower the priorities that were given to them");
  }
  return numbers;
}

}  // namespace certwright::traefik

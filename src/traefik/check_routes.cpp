#include "check_routes.h"

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "route_render.h"
#include "route_rule.h"

namespace certwright::traefik {
namespace {

constexpr std::size_t kLongestWords = 400;

std::string WrongWith(const Api& api, const std::string& router, const std::string& rule,
                      std::stop_token stop) {
  const RouterState state = api.Router(router, stop);
  if (state.status.empty()) return Cat("Traefik knows no router ", router);
  if (state.status != "enabled") {
    return Cat("router ", router, " is ", Printable(state.status), ": ",
               Printable(state.error, kLongestWords));
  }
  if (state.rule != rule) return Cat("router ", router, " has another rule in Traefik");
  return "";
}

}  // namespace

std::vector<ServedRoute> CheckRoutes(const Api& api, const std::vector<model::Route>& routes,
                                     std::stop_token stop) {
  std::vector<ServedRoute> results;
  for (const auto& route : routes) {
    ServedRoute result{route.instance, RuleOf(route), ""};
    try {
      for (const auto& router : {HttpRouterName(route), HttpsRouterName(route)}) {
        if (result.problem.empty()) result.problem = WrongWith(api, router, result.rule, stop);
      }
    } catch (const Error& error) {
      if (error.failure().code == FailureCode::kCancelled) throw;
      result.problem = error.failure().detail;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace certwright::traefik

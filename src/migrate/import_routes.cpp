#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "import_parts.h"

namespace certwright::migrate {
namespace {

// Each setting: what is there stays, what is not is stored by `save`.
template <typename Setting, typename Save>
std::int64_t StoreSetting(const char* name, const Setting& found, const Setting& held,
                          std::vector<SettingOutcome>& outcomes, Save&& save) {
  if (found == Setting{}) return 0;
  if (held != Setting{}) {
    outcomes.push_back({name, held == found ? Fate::kPresent : Fate::kKept});
    return 0;
  }
  outcomes.push_back({name, Fate::kImported});
  return save();
}

}  // namespace

std::vector<RouteCandidate> LookAtRoutes(const Found& found, const ImportOptions& options) {
  std::vector<RouteCandidate> candidates;
  for (const FoundRoute& route : found.routes) {
    RouteCandidate candidate;
    candidate.outcome.from = route.from;
    candidate.outcome.instance = route.request.String("instance");
    try {
      if (!options.read_route) throw Error(FailureCode::kInput, "routes are not taken here");
      candidate.route = options.read_route(route.request);
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kInput) throw;
      candidate.outcome.fate = Fate::kLeftOut;
      candidate.outcome.why = error.failure().detail;
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::int64_t StoreRoutes(store::Session& session, std::vector<RouteCandidate>& candidates,
                         UnixSeconds now) {
  std::int64_t last = 0;
  for (RouteCandidate& candidate : candidates) {
    if (!candidate.route) continue;
    if (const auto held = store::FindRoute(session, candidate.outcome.instance)) {
      const bool same = model::SameButTimes(*candidate.route, *held);
      candidate.outcome.fate = same ? Fate::kPresent : Fate::kKept;
      if (!same) candidate.outcome.why = "there is another route of that name";
      continue;
    }
    last = std::max(last, store::SaveRoute(session, *candidate.route, now));
  }
  return last;
}

std::int64_t StoreSettings(store::Session& session, const FoundSettings& settings,
                           UnixSeconds now, std::vector<SettingOutcome>& outcomes) {
  store::TrustedProxies trusted;
  if (!settings.trusted_proxies.empty()) {
    trusted = {settings.trusted_proxies, std::max(settings.proxies_depth, 1)};
  }
  const std::int64_t proxies =
      StoreSetting("trusted-proxies", trusted, store::FindTrustedProxies(session), outcomes,
                   [&] { return store::SaveTrustedProxies(session, trusted, now); });
  const std::int64_t names = StoreSetting(
      "default-names", settings.default_names, store::FindDefaultNames(session), outcomes,
      [&] { return store::SaveDefaultNames(session, settings.default_names, now); });
  return std::max(proxies, names);
}

}  // namespace certwright::migrate

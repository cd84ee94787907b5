// The parts of an import, each in the one transaction. What changes something gives the number of
// its last event, else 0.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "certwright/migrate/import.h"

namespace certwright::migrate {

// A route that was looked at, before the store is.
struct RouteCandidate {
  RouteOutcome outcome;
  std::optional<model::Route> route;  // none: it is left out
};
std::vector<RouteCandidate> LookAtRoutes(const Found& found, const ImportOptions& options);
std::int64_t StoreRoutes(store::Session& session, std::vector<RouteCandidate>& candidates,
                         UnixSeconds now);

std::int64_t StoreSettings(store::Session& session, const FoundSettings& settings,
                           UnixSeconds now, std::vector<SettingOutcome>& outcomes);

}  // namespace certwright::migrate

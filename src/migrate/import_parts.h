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

// The same for an uploaded pair.
struct UploadCandidate {
  CertificateOutcome outcome;
  std::string label;                                // see store/uploads.h
  std::optional<model::CertificateVersion> version;  // none: its fate is known
};
std::vector<UploadCandidate> LookAtUploads(const Found& found, const ImportOptions& options);
std::int64_t StoreUploads(store::Session& session, std::vector<UploadCandidate>& candidates,
                          UnixSeconds now);

std::int64_t StoreSettings(store::Session& session, const FoundSettings& settings,
                           UnixSeconds now, std::vector<SettingOutcome>& outcomes);

}  // namespace certwright::migrate

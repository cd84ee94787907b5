// ACME Renewal Information (RFC 9773).
#pragma once

#include <optional>
#include <string>

#include "certwright/base/clock.h"

namespace certwright::model {

// What a CA answered at renewalInfo (section 4.2).
struct RenewalWindow {
  UnixSeconds start = 0;
  UnixSeconds end = 0;
  std::string explanation_url;        // https; "" : none
  std::optional<Millis> retry_after;  // when to ask again
};

// What is kept of it for one version. Belongs to one certID, never to a name: a new version begins
// with an empty one.
struct RenewalInfo {
  std::string ari_id;           // certID, section 4.1
  UnixSeconds start = 0;        // suggestedWindow; both 0: the CA has told none (yet)
  UnixSeconds end = 0;
  std::string explanation_url;  // "" : none
  UnixSeconds chosen_at = 0;    // our instant in the window, kept as long as the window is the same
  UnixSeconds check_at = 0;     // when to ask again; 0: not asked yet
};

}  // namespace certwright::model

// What endpoints were seen to show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/store/database.h"

namespace certwright::store {

struct ServedState {
  std::string endpoint;  // "traefik", "smtp://mail.example.org:25"
  std::string name;      // the server name that is asked for
  // "unknown" (not seen well yet), "served", "other" (another certificate is shown), "unreachable".
  std::string state = "unknown";
  std::string wanted;   // serial of what is held
  std::string seen;     // serial of what was shown last, "" where nothing was
  std::string problem;  // of the last look, in words; "" where it was well
  UnixSeconds since = 0;        // of the state
  UnixSeconds wrong_since = 0;  // when the looks began to go wrong; 0: the last one went well
  UnixSeconds looked_at = 0;
};

// Whether it has not shown what is held for longer than is waited for.
inline bool IsMismatch(const ServedState& state) {
  return state.state == "other" || state.state == "unreachable";
}

std::optional<ServedState> FindServed(Session& session, const std::string& endpoint,
                                      const std::string& name);
void SaveServed(Session& session, const ServedState& state);
void DeleteServed(Session& session, const std::string& endpoint, const std::string& name);
// By endpoint and name.
std::vector<ServedState> ListServed(Session& session);

}  // namespace certwright::store

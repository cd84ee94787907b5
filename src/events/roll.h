// Who is to be told: comes, goes, and has a stored position.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/store/events.h"
#include "worker.h"

namespace certwright::events {

using Workers = std::vector<std::shared_ptr<Worker>>;

// Used by one thread at a time.
class Roll {
 public:
  Roll(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  void SetDiscovery(Discovery discovery) { discovery_ = std::move(discovery); }

  // Gives it the position that is stored; where there is none, that of whom it is the heir, or
  // `otherwise` (nullopt: after the last event), which is stored now: what comes between here and
  // its first delivery must not be passed over by a crash.
  void Enter(Worker& worker, std::optional<std::int64_t> otherwise);

  struct Changes {
    Workers come;  // entered
    Workers gone;
  };
  // Throws what the discovery throws.
  Changes Look(const Workers& known);

  // Whoever has a position and is not among them, a handler once it has been missed for a day: else one
  // that was there once would keep events for ever.
  void ForgetOthers(const Workers& known);

 private:
  bool MayComeBack(const store::FeedPosition& position);

  store::Database& database_;
  Clock& clock_;
  Discovery discovery_;
  std::optional<std::int64_t> looked_at_;  // the last event when it was looked before
  std::map<std::string, UnixSeconds> missed_since_;
};

// Whether a person who says `called` means the subscriber `name`.
bool IsCalled(std::string_view name, std::string_view called);

}  // namespace certwright::events

// The numbered change feed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::model {

struct Event {
  std::int64_t seq = 0;            // grows by at least one; given by the store
  std::string name;                // "certificate-changed"
  std::string reason;              // issued | renewed | uploaded | deleted | revoked
  std::vector<std::string> names;  // lower case, sorted
  std::int64_t certificate_id = 0;
  UnixSeconds created_at = 0;
};

}  // namespace certwright::model

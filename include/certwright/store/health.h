// What monitoring asks of all certificates at once; nothing here reads a chain or a key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::store {

// The current version of a managed certificate.
struct Expiry {
  std::int64_t certificate_id = 0;
  std::string name_set;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  UnixSeconds next_action_at = 0;  // 0: nobody renews it
};
// All of them, what expires first first; from an index.
std::vector<Expiry> ListExpiries(Session& session);
// Those of which less than a `parts`-th of the lifetime is left.
std::vector<Expiry> ListNearExpiry(Session& session, int parts, UnixSeconds now);

// Those whose last try failed; from an index.
std::vector<model::ManagedCertificate> ListFailing(Session& session);

struct DueCount {
  std::int64_t count = 0;
  UnixSeconds since = 0;  // the earliest; 0: there is none
};
DueCount CountDue(Session& session, UnixSeconds now);

struct OrderCount {
  std::int64_t open = 0;
  std::int64_t made = 0;  // in all: the last one's id
};
OrderCount CountOrders(Session& session);

}  // namespace certwright::store

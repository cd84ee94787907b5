// Orders: the records that OrderFlow steps through.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/order.h"
#include "certwright/store/database.h"

namespace certwright::store {

std::int64_t InsertOrder(Session& session, const model::OrderRecord& order);
void SaveOrder(Session& session, const model::OrderRecord& order);  // by id; all fields
std::optional<model::OrderRecord> FindOrder(Session& session, std::int64_t id);
// The orders of a managed certificate that are neither kDone nor kFailed, newest first: one at the
// most for each CA.
std::vector<model::OrderRecord> FindOpenOrders(Session& session, std::int64_t certificate_id);
std::vector<model::OrderRecord> ListOpenOrders(Session& session);
// Newest first, at most `limit`.
std::vector<model::OrderRecord> ListOrders(Session& session, std::int64_t certificate_id, int limit);
// Ended orders whose authorizations may be pending at the CA, oldest first. One look at an index.
std::vector<model::OrderRecord> ListLeftovers(Session& session, int limit);
void ForgetLeftover(Session& session, std::int64_t id);
// Orders made for this exact name set since `since`, also those that were removed with a certificate
// (invariant I4).
int CountOrdersSince(Session& session, const std::string& name_set, UnixSeconds since);
// The sets of names that orders were made for since `since`, by name set.
struct OrderedSet {
  std::string name_set;
  std::vector<UnixSeconds> times;  // newest first, those before `since` left out
  int forced = 0;                  // so many of them by a person, past the fuse
};
std::vector<OrderedSet> ListOrderedSets(Session& session, UnixSeconds since);
// When the n-th newest of them was made (1: the newest); 0 where there are fewer.
UnixSeconds TimeOfOrder(Session& session, const std::string& name_set, int n);

}  // namespace certwright::store

#include "fuse.h"

#include "certwright/base/text.h"
#include "certwright/store/orders.h"

namespace certwright::issue {

void CheckFuse(store::Session& session, const Fuse& fuse,
               const std::vector<model::Identifier>& names, UnixSeconds now) {
  const std::string name_set = model::NameSetKey(names);
  const UnixSeconds since = now - fuse.window + 1;  // an order counts for the length of the window
  const int ordered = store::CountOrdersSince(session, name_set, since);
  if (ordered < fuse.orders_per_name_set) return;
  Failure failure;
  failure.code = FailureCode::kFuse;
  failure.identifiers = model::Names(names);
  failure.detail = Cat("the fuse holds: ", ordered, " orders for exactly these names within ",
                       fuse.window / 3600, " hours");
  // The next place is free when the oldest of the last N leaves the window.
  failure.retry_at =
      store::TimeOfOrder(session, name_set, fuse.orders_per_name_set) + fuse.window;
  failure.advice = Cat("find out why so many were needed; 'certwright issue --force' orders all the "
                       "same, and from ",
                       FormatUtc(failure.retry_at), " on it goes without");
  throw Error(std::move(failure));
}

}  // namespace certwright::issue

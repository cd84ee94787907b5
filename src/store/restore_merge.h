// What a restore does not undo: see Restore in store/backup.h.
#pragma once

#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "sqlite.h"

namespace certwright::store {

// `next` is the backup, of the newest schema. With `present` (a store of the same schema, closed)
// what must outlive the restore is carried over from there. Appends the events of what differs and
// gives its name sets. One transaction.
std::vector<std::string> CarryOver(Connection& next, const Path* present, UnixSeconds now);

}  // namespace certwright::store

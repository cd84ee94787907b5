// Who was given a private key, and who was denied something: append-only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/store/database.h"

namespace certwright::store {

// Entries are kept for so long, and so many of them however old; the database itself refuses to
// lose them sooner, or to change them ever.
inline constexpr UnixSeconds kAuditKept = 400 * 24 * 3600;
inline constexpr std::int64_t kAuditEntriesKept = 100'000;

struct AuditEntry {
  std::int64_t seq = 0;  // grows by at least one; given by the store
  UnixSeconds at = 0;
  std::string role;
  std::string caller;   // "module/mail1", or ""
  std::string action;
  std::string subject;  // the name that was asked for, or ""
  std::string outcome;  // "denied" | "released"
};

// Gives the entry's number.
std::int64_t AppendAudit(Session& session, const AuditEntry& entry);
// Those with a number greater than `after`, in order.
std::vector<AuditEntry> ListAudit(Session& session, std::int64_t after, int limit);

}  // namespace certwright::store

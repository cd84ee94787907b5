// What is known of the renewal of a version, and when the scheduler looks at a certificate.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/renewal.h"
#include "certwright/store/database.h"

namespace certwright::store {

// By certID (RFC 9773 section 4.1).
std::optional<model::RenewalInfo> FindRenewalInfo(Session& session, const std::string& ari_id);
// All that is kept, by certID.
std::map<std::string, model::RenewalInfo> ListRenewalInfo(Session& session);
// Replaces what is kept for info.ari_id; removed with the version.
void SaveRenewalInfo(Session& session, std::int64_t version_id, const model::RenewalInfo& info,
                     UnixSeconds now);

// What a look from outside said of a certificate that fails; nothing is written of one that does not
// (any more).
void SavePreflight(Session& session, std::int64_t certificate_id, std::optional<bool> good,
                   const std::string& saw, UnixSeconds now);

// So many of its warnings about its expiry were told. Call in the transaction of AppendEvent (I3).
void SetExpiryTold(Session& session, std::int64_t version_id, int told);

// Every certificate with an open order is looked at now.
void MakeOpenOrdersDue(Session& session, UnixSeconds now);
// Whether it is to be removed as soon as it can be.
void SetDiscard(Session& session, std::int64_t certificate_id, bool discard);
// When the scheduler looks at this certificate next; 0: never.
void SetNextAction(Session& session, std::int64_t certificate_id, UnixSeconds at, UnixSeconds now);
// The earliest of all; 0 where there is none. One look at an index.
UnixSeconds NextActionOfAll(Session& session);
// The earliest that is later than `now`; 0 where there is none. As well.
UnixSeconds NextActionAfter(Session& session, UnixSeconds now);

// A certificate that is to be looked at, and the CA that is asked then: that of its current version,
// "" where there is none.
struct DueRow {
  std::int64_t certificate_id = 0;
  UnixSeconds at = 0;
  std::string ca;
};
// What is due at `now`, earliest first, from behind `after` on (a DueRow of nothing: from the start).
// Costs what it gives.
std::vector<DueRow> ListDueRows(Session& session, UnixSeconds now, const DueRow& after, int limit);
// What waits for a time that a clock reckoned which was ahead of `now`. As well.
std::vector<DueRow> ListWrittenAfter(Session& session, UnixSeconds now, int limit);

}  // namespace certwright::store

#include "certwright/store/health.h"

#include "certificate_rows.h"
#include "certwright/base/text.h"
#include "session.h"

namespace certwright::store {
namespace {

// Behind it: more conditions and the order.
constexpr char kSelectExpiry[] =
    "SELECT c.id, c.name_set, v.not_before, v.not_after, c.next_action_at FROM version v "
    "JOIN certificate c ON c.id = v.certificate_id WHERE v.is_current = 1 ";
constexpr char kInOrder[] = "ORDER BY v.not_after, v.not_before, v.certificate_id";

std::vector<Expiry> ReadExpiries(Query& rows) {
  std::vector<Expiry> expiries;
  while (rows.Step()) {
    Expiry expiry;
    expiry.certificate_id = rows.Int();
    expiry.name_set = rows.Text();
    expiry.not_before = rows.Int();
    expiry.not_after = rows.Int();
    expiry.next_action_at = rows.Int();
    expiries.push_back(std::move(expiry));
  }
  return expiries;
}

}  // namespace

std::vector<Expiry> ListExpiries(Session& session) {
  Query rows(Of(session), Cat(kSelectExpiry, kInOrder));
  return ReadExpiries(rows);
}

std::vector<Expiry> ListNearExpiry(Session& session, int parts, UnixSeconds now) {
  Query rows(Of(session),
             Cat(kSelectExpiry, "AND (v.not_after - ?) * ? < v.not_after - v.not_before ", kInOrder),
             now, parts);
  return ReadExpiries(rows);
}

std::vector<model::ManagedCertificate> ListFailing(Session& session) {
  Query rows(Of(session), Cat("SELECT ", kCertificateColumns, " FROM certificate c", kJoinCurrent,
                              "WHERE c.failures > 0 ORDER BY c.id"));
  std::vector<model::ManagedCertificate> failing;
  while (rows.Step()) failing.push_back(ReadCertificate(rows));
  return failing;
}

DueCount CountDue(Session& session, UnixSeconds now) {
  Query rows(Of(session),
             "SELECT count(*), coalesce(min(next_action_at), 0) FROM certificate "
             "WHERE next_action_at <= ? AND next_action_at > 0",
             now);
  DueCount due;
  if (!rows.Step()) return due;
  due.count = rows.Int();
  due.since = rows.Int();
  return due;
}

OrderCount CountOrders(Session& session) {
  Query rows(Of(session),
             "SELECT (SELECT count(*) FROM acme_order WHERE state NOT IN ('done', 'failed')), "
             "(SELECT coalesce(max(id), 0) FROM acme_order)");
  OrderCount orders;
  if (!rows.Step()) return orders;
  orders.open = rows.Int();
  orders.made = rows.Int();
  return orders;
}

}  // namespace certwright::store

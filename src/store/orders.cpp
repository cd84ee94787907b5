#include "certwright/store/orders.h"

#include "certwright/base/text.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

// Ended orders are history: the last ten of a certificate, and every one of the last 30 days.
constexpr int kEndedOrdersKept = 10;
constexpr UnixSeconds kEndedOrdersKeptFor = 30 * 24 * 3600;
// Longer than any window that the fuse can have.
constexpr UnixSeconds kCountedFor = 400 * UnixSeconds{24 * 3600};

const std::string kSelect =
    "SELECT id, certificate_id, directory, identifiers, profile, preferred_chain, replaces, "
    "key_pem, state, url, finalize_url, certificate_url, authorizations, chain_pem, attempts, "
    "failure, forced, leftover, counted, created_at, updated_at FROM acme_order ";
// Word for word the condition of the index acme_order_open.
const std::string kOpen = "state NOT IN ('done', 'failed') ";

model::OrderRecord ReadOrder(Query& row) {
  model::OrderRecord order;
  order.id = row.Int();
  order.certificate_id = row.Int();
  order.directory = row.Text();
  order.identifiers = DecodeIdentifiers(row.Text());
  order.profile = row.Text();
  order.preferred_chain = row.Text();
  order.replaces = row.Text();
  order.key_pem = Secret(row.Text());
  order.state = model::OrderStateFromName(row.Text());
  order.url = row.Text();
  order.finalize_url = row.Text();
  order.certificate_url = row.Text();
  order.authorizations = DecodeAuthorizations(row.Text());
  order.chain_pem = row.Text();
  order.attempts = static_cast<int>(row.Int());
  order.failure = DecodeFailure(row.OptionalText());
  order.forced = row.Int() != 0;
  order.leftover = row.Int() != 0;
  order.counted = DecodeLimits(row.Text());
  order.created_at = row.Int();
  order.updated_at = row.Int();
  return order;
}

std::vector<model::OrderRecord> ReadOrders(Query& rows) {
  std::vector<model::OrderRecord> orders;
  while (rows.Step()) orders.push_back(ReadOrder(rows));
  return orders;
}

void PruneEndedOrders(Session& session, std::int64_t certificate_id, UnixSeconds now) {
  const int pruned =
      Query(Of(session),
            "DELETE FROM acme_order WHERE certificate_id = ? AND created_at < ? "
            "AND state IN ('done', 'failed') AND id NOT IN (SELECT id FROM acme_order "
            "WHERE certificate_id = ? ORDER BY id DESC LIMIT ?)",
            certificate_id, now - kEndedOrdersKeptFor, certificate_id, kEndedOrdersKept)
          .Run();
  if (pruned > 0) session.impl().deleted_keys = true;
}

}  // namespace

std::int64_t InsertOrder(Session& session, const model::OrderRecord& order) {
  Connection& connection = Of(session);
  PruneEndedOrders(session, order.certificate_id, order.created_at);
  Query insert(connection,
               "INSERT INTO acme_order (certificate_id, directory, identifiers, profile, "
               "preferred_chain, replaces, key_pem, state, url, finalize_url, certificate_url, "
               "authorizations, chain_pem, attempts, failure, forced, leftover, counted, "
               "created_at, updated_at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
               "RETURNING id",
               order.certificate_id, order.directory, EncodeIdentifiers(order.identifiers),
               order.profile, order.preferred_chain, order.replaces, order.key_pem,
               model::OrderStateName(order.state), order.url, order.finalize_url,
               order.certificate_url, EncodeAuthorizations(order.authorizations), order.chain_pem,
               order.attempts, EncodeFailure(order.failure), order.forced, order.leftover,
               EncodeLimits(order.counted), order.created_at, order.updated_at);
  insert.Step();
  const std::int64_t id = insert.Int();
  insert.Run();
  Query(connection,
        "INSERT INTO order_ledger (name_set, order_id, created_at) "
        "SELECT name_set, ?, ? FROM certificate WHERE id = ?",
        id, order.created_at, order.certificate_id)
      .Run();
  Query(connection,
        "DELETE FROM order_ledger WHERE created_at < ? AND name_set = "
        "(SELECT name_set FROM certificate WHERE id = ?)",
        order.created_at - kCountedFor, order.certificate_id)
      .Run();
  session.impl().saved_step = true;
  return id;
}

void SaveOrder(Session& session, const model::OrderRecord& order) {
  const int changed =
      Query(Of(session),
            "UPDATE acme_order SET certificate_id = ?, directory = ?, identifiers = ?, "
            "profile = ?, preferred_chain = ?, replaces = ?, key_pem = ?, state = ?, url = ?, "
            "finalize_url = ?, certificate_url = ?, authorizations = ?, chain_pem = ?, "
            "attempts = ?, failure = ?, forced = ?, leftover = ?, counted = ?, created_at = ?, "
            "updated_at = ? WHERE id = ?",
            order.certificate_id, order.directory, EncodeIdentifiers(order.identifiers),
            order.profile, order.preferred_chain, order.replaces, order.key_pem,
            model::OrderStateName(order.state), order.url, order.finalize_url,
            order.certificate_url, EncodeAuthorizations(order.authorizations), order.chain_pem,
            order.attempts, EncodeFailure(order.failure), order.forced, order.leftover,
            EncodeLimits(order.counted), order.created_at, order.updated_at, order.id)
          .Run();
  if (changed == 0) {
    throw Error(FailureCode::kNotFound, Cat("order ", order.id, " is not in the store (any more)"),
                "its certificate was deleted meanwhile; ask for it again");
  }
  session.impl().saved_step = true;
}

std::optional<model::OrderRecord> FindOrder(Session& session, std::int64_t id) {
  Query rows(Of(session), kSelect + "WHERE id = ?", id);
  if (!rows.Step()) return std::nullopt;
  return ReadOrder(rows);
}

std::vector<model::OrderRecord> FindOpenOrders(Session& session, std::int64_t certificate_id) {
  Query rows(Of(session), kSelect + "WHERE certificate_id = ? AND " + kOpen + "ORDER BY id DESC",
             certificate_id);
  return ReadOrders(rows);
}

std::vector<model::OrderRecord> ListOpenOrders(Session& session) {
  Query rows(Of(session), kSelect + "WHERE " + kOpen + "ORDER BY certificate_id, id");
  return ReadOrders(rows);
}

std::vector<model::OrderRecord> ListOrders(Session& session, std::int64_t certificate_id,
                                           int limit) {
  Query rows(Of(session), kSelect + "WHERE certificate_id = ? ORDER BY id DESC LIMIT ?",
             certificate_id, limit);
  return ReadOrders(rows);
}

std::vector<model::OrderRecord> ListLeftovers(Session& session, int limit) {
  Query rows(Of(session), kSelect + "WHERE leftover = 1 ORDER BY id LIMIT ?", limit);
  return ReadOrders(rows);
}

void ForgetLeftover(Session& session, std::int64_t id) {
  Query(Of(session), "UPDATE acme_order SET leftover = 0 WHERE id = ?", id).Run();
}

int CountOrdersSince(Session& session, const std::string& name_set, UnixSeconds since) {
  Query rows(Of(session),
             "SELECT count(*) FROM order_ledger WHERE name_set = ? AND created_at >= ?", name_set,
             since);
  rows.Step();
  return static_cast<int>(rows.Int());
}

std::vector<OrderedSet> ListOrderedSets(Session& session, UnixSeconds since) {
  Query rows(Of(session),
             "SELECT order_ledger.name_set, order_ledger.created_at, coalesce(forced, 0) "
             "FROM order_ledger LEFT JOIN acme_order ON acme_order.id = order_ledger.order_id "
             "WHERE order_ledger.created_at >= ? "
             "ORDER BY order_ledger.name_set, order_ledger.created_at DESC, order_id DESC",
             since);
  std::vector<OrderedSet> sets;
  while (rows.Step()) {
    std::string name_set = rows.Text();
    if (sets.empty() || sets.back().name_set != name_set) {
      sets.push_back({std::move(name_set), {}, 0});
    }
    sets.back().times.push_back(rows.Int());
    sets.back().forced += rows.Int() != 0 ? 1 : 0;
  }
  return sets;
}

UnixSeconds TimeOfOrder(Session& session, const std::string& name_set, int n) {
  Query rows(Of(session),
             "SELECT created_at FROM order_ledger WHERE name_set = ? "
             "ORDER BY created_at DESC, order_id DESC LIMIT 1 OFFSET ?",
             name_set, n - 1);
  return rows.Step() ? rows.Int() : 0;
}

}  // namespace certwright::store

#include "certwright/store/routes.h"

#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

const std::string kColumns =
    "instance, url, host, path, priority, lets_encrypt, http2https, strip_prefix, "
    "slash_redirect, skip_cert_verify, user_created, ip_allowlist, request_headers, "
    "response_headers, auth_address, auth_skip_tls_verify, auth_response_headers, created_at, "
    "updated_at";
const std::string kSelect = Cat("SELECT ", kColumns, " FROM route ");

// Names and values in turn.
std::string EncodeHeaders(const model::HeaderValues& headers) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : headers) {
    entries.push_back(name);
    entries.push_back(value);
  }
  return EncodeList(entries);
}

model::HeaderValues DecodeHeaders(std::string_view text) {
  const std::vector<std::string> entries = DecodeList(text);
  model::HeaderValues headers;
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) headers[entries[i]] = entries[i + 1];
  return headers;
}

std::optional<bool> OptionalBool(Query& row) {
  const auto value = row.OptionalInt();
  if (!value) return std::nullopt;
  return *value != 0;
}

std::optional<std::int64_t> OptionalInt(const std::optional<bool>& value) {
  if (!value) return std::nullopt;
  return *value ? 1 : 0;
}

model::Route ReadRoute(Query& row) {
  model::Route route;
  route.instance = row.Text();
  route.url = row.Text();
  route.host = row.Text();
  route.path = row.Text();
  route.priority = row.OptionalInt();
  route.lets_encrypt = row.Int() != 0;
  route.http2https = row.Int() != 0;
  route.strip_prefix = OptionalBool(row);
  route.slash_redirect = OptionalBool(row);
  route.skip_cert_verify = row.Int() != 0;
  route.user_created = row.Int() != 0;
  route.ip_allowlist = DecodeList(row.Text());
  route.request_headers = DecodeHeaders(row.Text());
  route.response_headers = DecodeHeaders(row.Text());
  if (auto address = row.OptionalText()) {
    route.forward_auth = {*address, row.Int() != 0, DecodeList(row.Text())};
  } else {
    row.Skip(2);
  }
  route.created_at = row.Int();
  route.updated_at = row.Int();
  return route;
}

void Upsert(Session& session, const model::Route& route) {
  const model::ForwardAuth auth = route.forward_auth.value_or(model::ForwardAuth{});
  std::optional<std::string> address;
  if (route.forward_auth) address = auth.address;
  // Every column but the key and created_at, which an existing one keeps.
  Query(Of(session),
        Cat("INSERT INTO route (", kColumns,
            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (instance) DO UPDATE SET url = excluded.url, host = excluded.host, "
            "path = excluded.path, priority = excluded.priority, "
            "lets_encrypt = excluded.lets_encrypt, http2https = excluded.http2https, "
            "strip_prefix = excluded.strip_prefix, slash_redirect = excluded.slash_redirect, "
            "skip_cert_verify = excluded.skip_cert_verify, user_created = excluded.user_created, "
            "ip_allowlist = excluded.ip_allowlist, request_headers = excluded.request_headers, "
            "response_headers = excluded.response_headers, auth_address = excluded.auth_address, "
            "auth_skip_tls_verify = excluded.auth_skip_tls_verify, "
            "auth_response_headers = excluded.auth_response_headers, "
            "updated_at = excluded.updated_at"),
        route.instance, route.url, route.host, route.path, route.priority, route.lets_encrypt,
        route.http2https, OptionalInt(route.strip_prefix), OptionalInt(route.slash_redirect),
        route.skip_cert_verify, route.user_created, EncodeList(route.ip_allowlist),
        EncodeHeaders(route.request_headers), EncodeHeaders(route.response_headers), address,
        auth.skip_tls_verify, EncodeList(auth.auth_response_headers), route.created_at,
        route.updated_at)
      .Run();
}

bool IsRouted(Session& session, const std::string& host) {
  return Query(Of(session), "SELECT 1 FROM route WHERE host = ? LIMIT 1", host).Step();
}

// Makes `change`, and tells of it: `host_before` and `host_after` are those of the route, "" for none.
template <typename Change>
std::int64_t ChangeAndTell(Session& session, const std::string& instance, const std::string& reason,
                           const std::string& host_before, const std::string& host_after,
                           UnixSeconds now, Change change) {
  const bool other = host_before != host_after;
  const bool is_new = other && !host_after.empty() && !IsRouted(session, host_after);
  change();
  const bool is_gone = other && !host_before.empty() && !IsRouted(session, host_before);
  std::int64_t seq = AppendEvent(session, "routes-changed", reason, {instance}, now);
  if (is_gone) seq = AppendEvent(session, "hosts-changed", "deleted", {host_before}, now);
  if (is_new) seq = AppendEvent(session, "hosts-changed", "set", {host_after}, now);
  return seq;
}

}  // namespace

std::optional<model::Route> FindRoute(Session& session, const std::string& instance) {
  Query rows(Of(session), kSelect + "WHERE instance = ?", instance);
  if (!rows.Step()) return std::nullopt;
  return ReadRoute(rows);
}

std::vector<model::Route> ListRoutes(Session& session) {
  Query rows(Of(session), kSelect + "ORDER BY instance");
  std::vector<model::Route> routes;
  while (rows.Step()) routes.push_back(ReadRoute(rows));
  return routes;
}

bool RouteWantsCertificate(Session& session, const std::string& host) {
  return Query(Of(session), "SELECT 1 FROM route WHERE host = ? AND lets_encrypt = 1 LIMIT 1", host)
      .Step();
}

std::vector<std::string> ListHostsWithoutCertificate(Session& session) {
  Query rows(Of(session),
             "SELECT DISTINCT host FROM route WHERE lets_encrypt = 1 AND host <> '' AND NOT EXISTS "
             "(SELECT 1 FROM certificate c WHERE c.name_set = route.host) ORDER BY host");
  std::vector<std::string> hosts;
  while (rows.Step()) hosts.push_back(rows.Text());
  return hosts;
}

std::int64_t SaveRoute(Session& session, const model::Route& route, UnixSeconds now) {
  const auto before = FindRoute(session, route.instance);
  if (before && model::SameButTimes(*before, route)) return 0;
  model::Route saved = route;
  saved.created_at = saved.updated_at = now;
  return ChangeAndTell(session, route.instance, "set", before ? before->host : "", route.host, now,
                       [&] { Upsert(session, saved); });
}

std::int64_t DeleteRoute(Session& session, const std::string& instance, UnixSeconds now) {
  const auto before = FindRoute(session, instance);
  if (!before) return 0;
  return ChangeAndTell(session, instance, "deleted", before->host, "", now, [&] {
    Query(Of(session), "DELETE FROM route WHERE instance = ?", instance).Run();
  });
}

}  // namespace certwright::store

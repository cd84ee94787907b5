#include "certwright/store/settings.h"

#include <cstdlib>

#include "certificate_rows.h"
#include "certwright/store/events.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {

namespace {

// Keys of the table: never renamed.
constexpr char kAcmeUrl[] = "acme.url";
constexpr char kAcmeEmail[] = "acme.email";
constexpr char kAcmeChallenge[] = "acme.challenge";
constexpr char kProxies[] = "proxies.addresses";
constexpr char kProxyDepth[] = "proxies.depth";
constexpr char kDefaultNames[] = "default.names";

std::optional<std::string> FindSetting(Session& session, const char* name) {
  Query rows(Of(session), "SELECT value FROM setting WHERE name = ?", name);
  if (!rows.Step()) return std::nullopt;
  return rows.Text();
}

void SaveSetting(Session& session, const char* name, const std::string& value, UnixSeconds now) {
  Query(Of(session),
        "INSERT INTO setting (name, value, updated_at) VALUES (?, ?, ?) ON CONFLICT (name) "
        "DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        name, value, now)
      .Run();
}

}  // namespace

std::optional<model::CertificateVersion> FindSelfSigned(Session& session) {
  Query rows(Of(session), "SELECT " + kVersionColumns +
                              " FROM version v WHERE v.certificate_id IS NULL "
                              "ORDER BY v.id DESC LIMIT 1");
  if (!rows.Step()) return std::nullopt;
  return ReadVersion(rows);
}

void SaveSelfSigned(Session& session, const model::CertificateVersion& version) {
  const int replaced = Query(Of(session), "DELETE FROM version WHERE certificate_id IS NULL").Run();
  if (replaced > 0) session.impl().deleted_keys = true;
  model::CertificateVersion own = version;
  own.certificate_id = 0;
  own.origin = model::Origin::kSelfSigned;
  InsertVersion(Of(session), own, false);
}

std::optional<NameRequest> FindNameRequest(Session& session, const std::string& owner) {
  Query rows(Of(session), "SELECT owner, fqdn, created_at FROM name_request WHERE owner = ?", owner);
  if (!rows.Step()) return std::nullopt;
  NameRequest request;
  request.owner = rows.Text();
  request.fqdn = rows.Text();
  request.created_at = rows.Int();
  return request;
}

void SaveNameRequest(Session& session, const NameRequest& request) {
  Query(Of(session),
        "INSERT INTO name_request (owner, fqdn, created_at) VALUES (?, ?, ?) "
        "ON CONFLICT (owner) DO UPDATE SET fqdn = excluded.fqdn, "
        "created_at = excluded.created_at",
        request.owner, request.fqdn, request.created_at)
      .Run();
}

void DeleteNameRequest(Session& session, const std::string& owner) {
  Query(Of(session), "DELETE FROM name_request WHERE owner = ?", owner).Run();
}

std::vector<NameRequest> ListNameRequests(Session& session) {
  Query rows(Of(session), "SELECT owner, fqdn, created_at FROM name_request ORDER BY owner");
  std::vector<NameRequest> requests;
  while (rows.Step()) {
    NameRequest& request = requests.emplace_back();
    request.owner = rows.Text();
    request.fqdn = rows.Text();
    request.created_at = rows.Int();
  }
  return requests;
}

bool IsNameRequested(Session& session, const std::string& fqdn) {
  return Query(Of(session), "SELECT 1 FROM name_request WHERE fqdn = ? LIMIT 1", fqdn).Step();
}

std::optional<AcmeServer> FindAcmeServer(Session& session) {
  const auto url = FindSetting(session, kAcmeUrl);
  if (!url) return std::nullopt;
  return AcmeServer{*url, FindSetting(session, kAcmeEmail).value_or(""),
                    FindSetting(session, kAcmeChallenge).value_or("")};
}

void SaveAcmeServer(Session& session, const AcmeServer& server, UnixSeconds now) {
  SaveSetting(session, kAcmeUrl, server.url, now);
  SaveSetting(session, kAcmeEmail, server.email, now);
  SaveSetting(session, kAcmeChallenge, server.challenge, now);
}

void DeleteAcmeServer(Session& session) {
  Query(Of(session), "DELETE FROM setting WHERE name IN (?, ?, ?)", kAcmeUrl, kAcmeEmail,
        kAcmeChallenge)
      .Run();
}

TrustedProxies FindTrustedProxies(Session& session) {
  TrustedProxies trusted;
  trusted.proxies = DecodeList(FindSetting(session, kProxies).value_or(""));
  // Written by SaveTrustedProxies alone: digits.
  trusted.depth = std::atoi(FindSetting(session, kProxyDepth).value_or("0").c_str());
  return trusted;
}

std::int64_t SaveTrustedProxies(Session& session, const TrustedProxies& trusted, UnixSeconds now) {
  if (FindTrustedProxies(session) == trusted) return 0;
  SaveSetting(session, kProxies, EncodeList(trusted.proxies), now);
  SaveSetting(session, kProxyDepth, std::to_string(trusted.depth), now);
  return AppendEvent(session, "routes-changed", "proxies", trusted.proxies, now);
}

std::vector<std::string> FindDefaultNames(Session& session) {
  return DecodeList(FindSetting(session, kDefaultNames).value_or(""));
}

std::string DefaultNameSet(Session& session) {
  const std::vector<std::string> names = FindDefaultNames(session);
  return names.empty() ? "" : model::NameSetKey(model::ParseIdentifiers(names));
}

std::int64_t SaveDefaultNames(Session& session, const std::vector<std::string>& names,
                              UnixSeconds now) {
  if (FindDefaultNames(session) == names) return 0;
  SaveSetting(session, kDefaultNames, EncodeList(names), now);
  return AppendEvent(session, "default-certificate-changed", names.empty() ? "deleted" : "set", names, now);
}

}  // namespace certwright::store

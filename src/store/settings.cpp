#include "certwright/store/settings.h"

#include "certificate_rows.h"
#include "session.h"

namespace certwright::store {

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

}  // namespace certwright::store

// Small facts of the node that are not configuration: the self-signed pair, what a module asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::store {

// The node's self-signed pair (origin kSelfSigned; certificate_id 0).
std::optional<model::CertificateVersion> FindSelfSigned(Session& session);
void SaveSelfSigned(Session& session, const model::CertificateVersion& version);

// One fqdn per calling module (contract.md, set-certificate). `owner` is "module/mail1".
struct NameRequest {
  std::string owner;
  std::string fqdn;
  UnixSeconds created_at = 0;
};
std::optional<NameRequest> FindNameRequest(Session& session, const std::string& owner);
void SaveNameRequest(Session& session, const NameRequest& request);
void DeleteNameRequest(Session& session, const std::string& owner);
std::vector<NameRequest> ListNameRequests(Session& session);

}  // namespace certwright::store

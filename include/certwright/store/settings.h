// Small facts of the node that are not in its configuration file: the self-signed pair, what a module
// asked for, what an administrator set by an action.
#pragma once

#include <cstdint>
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
bool IsNameRequested(Session& session, const std::string& fqdn);  // an index

// The CA that takes the place of acme.directory and acme.email of the configuration (contract.md,
// set-acme-server).
struct AcmeServer {
  std::string url;
  std::string email;      // "" : none
  std::string challenge;  // HTTP-01 | TLS-ALPN-01

  bool operator==(const AcmeServer&) const = default;
};
std::optional<AcmeServer> FindAcmeServer(Session& session);  // nullopt: the configuration's holds
void SaveAcmeServer(Session& session, const AcmeServer& server, UnixSeconds now);
void DeleteAcmeServer(Session& session);

// The proxies in front of Traefik (contract.md, set-trusted-proxies).
struct TrustedProxies {
  std::vector<std::string> proxies;  // IP addresses
  int depth = 0;  // which entry of X-Forwarded-For is the client, from the right; 0: the peer is

  bool operator==(const TrustedProxies&) const = default;
};
TrustedProxies FindTrustedProxies(Session& session);  // none, and depth 0, where none were set
// Writes the event "routes-changed" (reason "proxies") with it and gives its number; 0 where it was
// so already.
std::int64_t SaveTrustedProxies(Session& session, const TrustedProxies& trusted, UnixSeconds now);

// The names whose certificate Traefik shows where no other fits, the leading one first; empty: the
// self-signed pair.
std::vector<std::string> FindDefaultNames(Session& session);
// Their exact set as one text (model::NameSetKey); "" where there are none.
std::string DefaultNameSet(Session& session);
// Writes the event "default-certificate-changed" (reason "set", or "deleted" for none) with it and
// gives its number; 0 where it was so already.
std::int64_t SaveDefaultNames(Session& session, const std::vector<std::string>& names,
                              UnixSeconds now);

}  // namespace certwright::store

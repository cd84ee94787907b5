// The decisions of an issuance that need nothing but what is known: no store, no network.
#pragma once

#include <optional>
#include <vector>

#include "certwright/issue/authorities.h"
#include "certwright/issue/obtain.h"
#include "certwright/model/order.h"
#include "certwright/store/certificates.h"

namespace certwright::issue {

bool IsValidNow(const std::optional<model::CertificateVersion>& version, UnixSeconds now);

// Whether something is to be ordered: no valid certificate, another policy than it has, or somebody
// says so (a renewal not, where somebody was quicker).
bool NeedsWork(const store::HeldCertificate& held, const ObtainRequest& request, UnixSeconds now);

// HTTP-01 cannot prove a wildcard (RFC 8555 section 8.3 with 7.1.3): said before the CA is asked.
// Throws Error(kInput).
void RefuseWildcards(const std::vector<model::Identifier>& identifiers);

// Throws Error(kRefused) where the CA names its profiles and this is none of them.
void CheckProfile(const acme::Directory& directory, const std::string& profile);

// Whether the CA may have issued its certificate already.
bool IsFinalized(const model::OrderRecord& order);

// A certificate that will be good for a while yet when the CA that ended with `failure` may be asked
// again is worth waiting for it: a fall-back is for one that is missing, asked for by somebody, or
// refused a third time.
bool HasPatience(const store::HeldCertificate& held, const ObtainRequest& request,
                 const Failure& failure, UnixSeconds now);

// What two CAs ended with, as one failure: the one that is not the CA's own decides, else the one that
// passes sooner.
Failure Together(Failure first, const Authority& authority, const Failure& next);

}  // namespace certwright::issue

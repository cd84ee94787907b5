// The certificates that routes ask for: of the host of each route that says so, as long as one of
// them does. They are written down in the transaction that changes the route.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/obtain.h"
#include "certwright/model/route.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"

namespace certwright::issue {

// Whether anybody asks for a certificate of exactly this name: a route, a module's request, an
// administrator. (What a module asked for and does not ask for any more is nobody's.)
bool IsAskedFor(store::Session& session, const std::string& name);

// A request for this host in the name of its routes; in that of who asked for it before, where
// somebody did.
ObtainRequest RouteRequest(store::Session& session, const std::string& host);

// Writes down that the route's host is to have a certificate, where it wants one and none covers it:
// managed, due now, so that also the next process gets it. Gives what is to be obtained, nullopt
// where there is nothing to do.
std::optional<ObtainRequest> WantForRoute(store::Session& session, const model::Route& route,
                                          const model::CertificatePolicy& defaults,
                                          UnixSeconds now);

// A route has given up this name. Where nobody else asks for it, what was never obtained is forgotten,
// and with `cleanup` the certificate of exactly this name is removed too: gives the number of the
// event that tells so, else 0. What is being obtained or to be revoked yet goes after that
// (DropForsaken). Left as it is: the default certificate.
std::int64_t GiveUpForRoute(store::Session& session, Jobs& jobs, const std::string& host,
                            bool cleanup, UnixSeconds now);

// Of every route, as WantForRoute, and of the default names: after an import or a restored backup, or
// where what covered a host is gone or has expired. Costs little where there is nothing to do.
void WantWhatIsMissing(store::Database& database, const model::CertificatePolicy& defaults,
                       UnixSeconds now);

// Removes what nobody asks for any more: what was never obtained, but for routes, the default names
// that are others now or a module that has another name by now, and what a route gave up so. Not while it is ordered. Gives the number of the
// event that tells so (0: nobody was told of it), nullopt where it stays.
std::optional<std::int64_t> DropForsaken(store::Session& session,
                                         const store::HeldCertificate& held, UnixSeconds now);

}  // namespace certwright::issue

#include "certwright/issue/housekeeping.h"

#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/revocations.h"
#include "certwright/store/routes.h"
#include "certwright/store/uploads.h"

namespace certwright::issue {

using model::CertificateVersion;

namespace {

constexpr UnixSeconds kDay = 24 * 3600;

// Whether what a module asked for was this certificate: of exactly that name, or of several where
// nothing else covers it.
bool IsLeftWithout(store::Session& session, const std::string& name,
                   const store::HeldCertificate& removed, UnixSeconds now) {
  if (name == removed.certificate.name_set) return true;
  const std::vector<model::Identifier>& names = removed.certificate.names;
  const bool was_in = std::any_of(names.begin(), names.end(),
                                  [&](const model::Identifier& n) { return n.value == name; });
  return was_in && !store::IsCovered(session, name, now);
}

std::int64_t ForgetWishes(store::Session& session, const model::ManagedCertificate& certificate,
                          UnixSeconds now) {
  std::int64_t seq = 0;
  for (model::Route& route : store::ListRoutes(session)) {
    const bool asks = route.lets_encrypt &&
                      std::any_of(certificate.names.begin(), certificate.names.end(),
                                  [&](const auto& name) { return name.value == route.host; });
    if (!asks) continue;
    route.lets_encrypt = false;
    seq = std::max(seq, store::SaveRoute(session, route, now));
  }
  if (certificate.name_set == store::DefaultNameSet(session)) {
    seq = std::max(seq, store::SaveDefaultNames(session, {}, now));
  }
  return seq;
}

}  // namespace

void RememberName(store::Session& session, const store::NameRequest& asked, UnixSeconds now) {
  const auto standing = store::FindNameRequest(session, asked.owner);
  const bool later = standing && standing->created_at > asked.created_at;
  // A time to come was read from a clock that was wrong.
  if (later && standing->created_at <= now) return;
  store::SaveNameRequest(session, asked);
}

std::int64_t RemoveTold(store::Session& session, const store::HeldCertificate& held,
                        const std::string& reason, UnixSeconds now) {
  const std::int64_t id = held.certificate.id;
  for (const CertificateVersion& version : store::ListToRevoke(session)) {
    if (version.certificate_id != id) continue;
    throw Error(FailureCode::kTimeout,
                Cat("a version of ", held.certificate.name_set, " is to be revoked yet: serial ",
                    version.serial_hex),
                "it is tried again by itself; remove the certificate after that");
  }
  const bool removed = store::DeleteCertificate(session, id);
  for (const store::NameRequest& request : store::ListNameRequests(session)) {
    if (IsLeftWithout(session, request.fqdn, held, now)) {
      store::DeleteNameRequest(session, request.owner);
    }
  }
  if (!removed || !held.current) return 0;  // nobody was told of it
  model::Event event;
  event.name = "certificate-changed";
  event.reason = reason;
  event.names = model::Names(held.current->names);
  event.certificate_id = id;
  event.created_at = now;
  return store::AppendEvent(session, event);
}

std::int64_t RemoveWithWishes(store::Session& session, const store::HeldCertificate& held,
                              const std::string& reason, UnixSeconds now) {
  const bool is_upload = store::UploadLabel(held.certificate).has_value();
  const std::int64_t forgot = is_upload ? 0 : ForgetWishes(session, held.certificate, now);
  return std::max(forgot, RemoveTold(session, held, reason, now));
}

std::int64_t Remove(store::Database& database, events::Feed& feed, Clock& clock,
                    std::int64_t certificate_id) {
  const std::int64_t seq = database.Write([&](store::Session& session) -> std::int64_t {
    const auto held = store::FindById(session, certificate_id);
    return held ? RemoveTold(session, *held, "deleted", clock.Now()) : 0;
  });
  if (seq > 0) feed.Notify();
  return seq;
}

void EnsureSelfSigned(store::Database& database, Clock& clock, const std::string& host_name) {
  constexpr UnixSeconds kLifetime = 3650 * kDay;
  const UnixSeconds now = clock.Now();
  const auto held =
      database.Read([](store::Session& session) { return store::FindSelfSigned(session); });
  if (held && held->not_after > now + 30 * kDay) return;
  std::vector<model::Identifier> names;
  try {
    names = {model::ParseIdentifier(host_name)};
  } catch (const Error&) {
    names = {model::ParseIdentifier("certwright.localhost")};  // a host without a full name
  }
  // Backdated by a day: a peer whose clock is a little behind still takes it.
  const CertificateVersion pair = crypto::SelfSigned(names, now - kDay, now + kLifetime);
  database.Write([&](store::Session& session) { store::SaveSelfSigned(session, pair); });
}

}  // namespace certwright::issue

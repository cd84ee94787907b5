#include "certwright/issue/revoke.h"

#include <algorithm>
#include <set>

#include "certwright/acme/retry.h"
#include "certwright/acme/revocation.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/store/certificates.h"
#include "certwright/store/renewals.h"

namespace certwright::issue {

using model::CertificateVersion;

namespace {

[[noreturn]] void RefuseOrigin(const CertificateVersion& version) {
  const bool ours = version.origin == model::Origin::kAcme;
  throw Error(FailureCode::kRefused,
              Cat("the certificate with the serial ", version.serial_hex,
                  ours ? Cat(" is from ", Printable(version.ca, 200), ", which is not configured")
                       : " was not obtained from a CA here: it was uploaded or made by itself"),
              ours ? "configure that CA (acme.directory, acme.fallback), then revoke it"
                   : "revoke it where it was obtained; 'certwright delete' only removes it here");
}

std::optional<store::HeldCertificate> HeldOf(store::Session& session,
                                             const CertificateVersion& version) {
  return store::FindById(session, version.certificate_id);
}

bool IsCurrent(const std::optional<store::HeldCertificate>& held,
               const CertificateVersion& version) {
  return held && held->current && held->current->id == version.id;
}

// The other versions of its certificate that are to be revoked.
std::vector<CertificateVersion> OthersToRevoke(store::Session& session,
                                               const CertificateVersion& version) {
  std::vector<CertificateVersion> others = store::ListToRevoke(session);
  std::erase_if(others, [&](const CertificateVersion& other) {
    return other.certificate_id != version.certificate_id || other.id == version.id;
  });
  return others;
}

bool IsLastWord(const Failure& failure) {
  return failure.code == FailureCode::kRefused || failure.code == FailureCode::kInput;
}

}  // namespace

Revoker::Revoker(store::Database& database, const Authorities& authorities, events::Feed& feed,
                 Clock& clock)
    : database_(database), authorities_(authorities), feed_(feed), clock_(clock) {}

void Revoker::Want(std::int64_t version_id, const store::RevocationWish& wish) {
  acme::RevocationReasonCode(wish.reason);
  database_.Write([&](store::Session& session) {
    const auto version = store::FindVersion(session, version_id);
    if (!version) throw Error(FailureCode::kNotFound, "this version is not in the store any more");
    const bool ours = version->origin == model::Origin::kAcme;
    if (!ours || authorities_.Find(version->ca) == nullptr) RefuseOrigin(*version);
    store::WantRevoked(session, version_id, wish);
    // Looked at now: it is to be renewed at once, or not at all.
    if (IsCurrent(HeldOf(session, *version), *version)) {
      store::SetNextAction(session, version->certificate_id, clock_.Now(), clock_.Now());
    }
  });
}

void Revoker::AskCa(const CertificateVersion& version, const model::ProgressSink& progress,
                    std::stop_token stop) {
  const Authority* authority = authorities_.Find(version.ca);
  if (authority == nullptr) RefuseOrigin(version);
  // Held also where the certificate's key signs: no harm, and one way through.
  const auto key_held = authority->accounts.HoldKey();
  const acme::Signer signer =
      version.revoke_with_key ? acme::Signer{crypto::PrivateKey::FromPem(version.key_pem), ""}
                              : authority->accounts.Ensure(progress, stop);
  if (progress) progress({"revoke", Cat("asking the CA to revoke ", version.serial_hex), 70});
  acme::WithRetries(
      clock_, stop,
      [&] {
        acme::RevokeCertificate(authority->client, signer, version.chain_pem,
                                version.revocation_reason, stop);
      },
      [&](const Failure& failure) {
        if (progress) progress({"retry", failure.detail + "; trying again", 70});
      });
}

std::int64_t Revoker::Revoke(std::int64_t version_id, const model::ProgressSink& progress,
                             std::stop_token stop) {
  std::vector<CertificateVersion> before;
  const auto version = database_.Read([&](store::Session& session) {
    auto found = store::FindVersion(session, version_id);
    if (!found || found->revoked_at > 0) return std::optional<CertificateVersion>();
    if (found->revoke_replaced && IsCurrent(HeldOf(session, *found), *found)) {
      throw Error(FailureCode::kInternal, "a version was to be revoked before it was replaced");
    }
    if (IsCurrent(HeldOf(session, *found), *found)) before = OthersToRevoke(session, *found);
    return found;
  });
  if (!version) return 0;
  // First, for its certificate goes with it, and then theirs would be forgotten. Where they have to
  // wait for their CA it stays until then.
  for (const CertificateVersion& other : before) {
    try {
      Revoke(other.id, progress, stop);
    } catch (const Error& error) {
      if (error.failure().code == FailureCode::kCancelled) throw;
      log::Warning(Cat("serial ", other.serial_hex, " is not revoked: ", error.failure().detail));
    }
  }
  try {
    AskCa(*version, progress, stop);
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.identifiers = model::Names(version->names);
    if (IsLastWord(failure)) {
      GiveUp(*version);
      if (failure.acme_type == "unauthorized" && !version->revoke_with_key) {
        failure.advice = "--with-key asks with the certificate's own key in place of the account";
      }
    } else if (failure.code != FailureCode::kCancelled) {
      failure.advice = "it is written down and tried again by itself";
    }
    throw Error(std::move(failure));
  }
  return Settle(version_id);
}

std::int64_t Revoker::Settle(std::int64_t version_id) {
  std::string serial;
  const std::int64_t seq = database_.Write([&](store::Session& session) -> std::int64_t {
    const auto version = store::FindVersion(session, version_id);
    if (!version) return 0;
    serial = version->serial_hex;
    store::RecordRevoked(session, version_id, clock_.Now());
    const auto held = HeldOf(session, *version);
    const bool current_is_revoked = held && held->current && held->current->revoked_at > 0;
    if (!current_is_revoked || !OthersToRevoke(session, *version).empty()) return 0;
    // Who wants another one in its place has it ordered first.
    return RemoveWithWishes(session, *held, "revoked", clock_.Now());
  });
  if (!serial.empty()) log::Info(Cat("certificate revoked: serial ", serial));
  if (seq > 0) feed_.Notify();
  return seq;
}

void Revoker::GiveUp(const CertificateVersion& version) {
  database_.Write([&](store::Session& session) {
    store::ForgetRevocation(session, version.id);
    if (IsCurrent(HeldOf(session, version), version)) {
      store::SetNextAction(session, version.certificate_id, clock_.Now(), clock_.Now());
    }
  });
}

bool Revoker::IsWaiting() {
  return database_.Read([](store::Session& session) {
    const auto versions = store::ListToRevoke(session);
    return std::any_of(versions.begin(), versions.end(), [&](const CertificateVersion& version) {
      return version.revoke_replaced && IsCurrent(HeldOf(session, version), version);
    });
  });
}

std::optional<Failure> Revoker::CarryOn(std::stop_token stop) {
  const auto waiting = database_.Read([](store::Session& session) {
    std::vector<CertificateVersion> versions;
    for (CertificateVersion& version : store::ListToRevoke(session)) {
      if (version.revoke_replaced && IsCurrent(HeldOf(session, version), version)) continue;
      versions.push_back(std::move(version));
    }
    return versions;
  });
  std::optional<Failure> first;
  std::set<std::string> down;  // a CA that fails holds up no other
  for (const CertificateVersion& version : waiting) {
    if (stop.stop_requested()) break;
    if (down.contains(version.ca)) continue;
    try {
      Revoke(version.id, nullptr, stop);
    } catch (const Error& error) {
      log::Warning(Cat("a certificate is not revoked: ", error.failure().detail));
      if (IsLastWord(error.failure())) continue;
      down.insert(version.ca);
      if (!first) first = error.failure();
    }
  }
  return first;
}

}  // namespace certwright::issue

#include "certwright/migrate/import.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/jws.h"
#include "certwright/crypto/key.h"
#include "certwright/store/accounts.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/revocations.h"
#include "certwright/store/routes.h"
#include "import_parts.h"

namespace certwright::migrate {
namespace {

// A certificate that was looked at, before the store is.
struct Candidate {
  CertificateOutcome outcome;
  std::optional<model::CertificateVersion> version;  // none: its fate is known
  model::CertificatePolicy policy;
};

// Ends a dry run: the transaction is rolled back by what it throws.
struct DryRunEnds {};

model::CertificatePolicy PolicyOf(const FoundCertificate& found,
                                  const model::CertificatePolicy& defaults) {
  model::CertificatePolicy policy = found.policy.Over(defaults);
  if (!found.policy.key_type) {
    policy.key_type =
        crypto::PrivateKey::FromPem(found.key_pem).Type().value_or(defaults.key_type);
  }
  return policy;
}

Candidate LookAt(const FoundCertificate& found, const ImportOptions& options) {
  Candidate candidate;
  CertificateOutcome& outcome = candidate.outcome;
  outcome.from = found.from;
  outcome.directory = found.directory;
  try {
    const crypto::CertificateInfo leaf = crypto::InspectChain(found.chain_pem).front();
    outcome.names = model::Names(leaf.names);
    outcome.not_after = leaf.not_after;
    if (leaf.not_after <= options.now) {
      outcome.fate = Fate::kExpired;
      return candidate;
    }
    candidate.version = crypto::KeptVersion(found.chain_pem, found.key_pem, options.now);
    candidate.version->ca = found.directory;
    candidate.version->origin = model::Origin::kAcme;
    candidate.policy = PolicyOf(found, options.defaults);
  } catch (const Error& error) {
    candidate.version.reset();
    outcome.fate = Fate::kLeftOut;
    outcome.why = error.failure().detail;
  }
  return candidate;
}

AccountOutcome StoreAccount(store::Session& session, const FoundAccount& found, UnixSeconds now) {
  AccountOutcome outcome{found.from, found.directory, Fate::kImported, ""};
  try {
    const crypto::PrivateKey key = crypto::PrivateKey::FromPem(found.key_pem);
    crypto::JwsAlgorithm(key);  // refuses what no CA is asked with
    if (const auto held = store::FindAccount(session, found.directory)) {
      const bool same =
          crypto::PrivateKey::FromPem(held->key_pem).PublicKeyDer() == key.PublicKeyDer();
      outcome.fate = same ? Fate::kPresent : Fate::kKept;
      if (!same) outcome.why = "another account is in use at this CA";
      return outcome;
    }
    model::Account account;
    account.directory = found.directory;
    account.key_pem = key.ToPkcs8Pem();
    account.url = found.url;
    account.contact = found.contact;
    account.status = found.url.empty() ? "" : "valid";
    account.created_at = now;
    store::SaveAccount(session, account);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kInput) throw;
    outcome.fate = Fate::kLeftOut;
    outcome.why = error.failure().detail;
  }
  return outcome;
}

std::int64_t Tell(store::Session& session, const model::CertificateVersion& version,
                  UnixSeconds now) {
  model::Event event;
  event.name = "certificate-changed";
  event.reason = "issued";
  event.names = model::Names(version.names);
  event.certificate_id = version.certificate_id;
  event.not_after = version.not_after;
  event.created_at = now;
  return store::AppendEvent(session, event);
}

// Gives the number of its event; 0: nothing changed.
std::int64_t StoreCertificate(store::Session& session, Candidate& candidate, UnixSeconds now) {
  model::CertificateVersion& version = *candidate.version;
  CertificateOutcome& outcome = candidate.outcome;
  if (store::IsRevoked(session, version.fingerprint)) {
    outcome.fate = Fate::kRevoked;
    return 0;
  }
  const auto held = store::FindByNameSet(session, model::NameSetKey(version.names));
  if (held && held->current && held->current->not_after >= version.not_after) {
    const bool same = held->current->fingerprint == version.fingerprint;
    outcome.fate = same ? Fate::kPresent : Fate::kKept;
    if (!same) {
      outcome.why = Cat("the one that is there is valid until ",
                        FormatUtc(held->current->not_after));
    }
    return 0;
  }
  if (held) {
    version.certificate_id = held->certificate.id;
  } else {
    model::ManagedCertificate wanted;
    wanted.names = version.names;
    wanted.policy = candidate.policy;
    const bool is_routes = store::RouteWantsCertificate(session, model::NameSetKey(version.names));
    wanted.owner = is_routes ? model::kRouteOwner : "";
    version.certificate_id = store::EnsureManaged(session, wanted, now).id;
  }
  store::AddCurrentVersion(session, version, now, now);
  return Tell(session, version, now);
}

// All that was found, looked at.
struct Work {
  std::vector<Candidate> certificates;
  std::vector<UploadCandidate> uploads;
  std::vector<RouteCandidate> routes;
};

void StoreCertificates(store::Session& session, std::vector<Candidate>& candidates,
                       UnixSeconds now, ImportReport& report) {
  // Of several for the same names the one that is valid longest comes first, and stays.
  std::vector<Candidate*> order;
  for (Candidate& candidate : candidates) {
    if (candidate.version) order.push_back(&candidate);
  }
  std::stable_sort(order.begin(), order.end(), [](const Candidate* a, const Candidate* b) {
    return a->version->not_after > b->version->not_after;
  });
  for (Candidate* candidate : order) {
    const std::int64_t event = StoreCertificate(session, *candidate, now);
    report.last_event = std::max(report.last_event, event);
  }
}

void Store(store::Session& session, const Found& found, Work& work, UnixSeconds now,
           ImportReport& report) {
  for (const FoundAccount& account : found.accounts) {
    report.accounts.push_back(StoreAccount(session, account, now));
  }
  // Routes come first: what they want goes with them later.
  const std::int64_t routes_event = StoreRoutes(session, work.routes, now);
  StoreCertificates(session, work.certificates, now, report);
  for (const std::int64_t event : {routes_event, StoreUploads(session, work.uploads, now),
                                   StoreSettings(session, found.settings, now, report.settings)}) {
    report.last_event = std::max(report.last_event, event);
  }
}

template <typename Outcome>
void TellLeftOut(const std::vector<Outcome>& outcomes, std::vector<LeftOut>& left_out) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.fate == Fate::kLeftOut) left_out.push_back({outcome.from, outcome.why});
  }
}

void Finish(Work& work, const Found& found, ImportReport& report) {
  for (Candidate& candidate : work.certificates) {
    report.certificates.push_back(std::move(candidate.outcome));
  }
  for (RouteCandidate& candidate : work.routes) {
    report.routes.push_back(std::move(candidate.outcome));
  }
  for (UploadCandidate& candidate : work.uploads) {
    report.uploads.push_back(std::move(candidate.outcome));
  }
  report.left_out = found.left_out;
  TellLeftOut(report.accounts, report.left_out);
  TellLeftOut(report.certificates, report.left_out);
  TellLeftOut(report.uploads, report.left_out);
  TellLeftOut(report.routes, report.left_out);
}

}  // namespace

std::string_view FateName(Fate fate) {
  switch (fate) {
    case Fate::kImported: return "imported";
    case Fate::kPresent: return "present";
    case Fate::kKept: return "kept";
    case Fate::kExpired: return "expired";
    case Fate::kRevoked: return "revoked";
    case Fate::kLeftOut: return "left-out";
  }
  return "";
}

ImportReport Import(store::Database& database, const Found& found, const ImportOptions& options) {
  Work work;  // looked at before the store is locked
  for (const FoundCertificate& certificate : found.certificates) {
    work.certificates.push_back(LookAt(certificate, options));
  }
  work.uploads = LookAtUploads(found, options);
  work.routes = LookAtRoutes(found, options);
  ImportReport report;
  try {
    database.Write([&](store::Session& session) {
      Store(session, found, work, options.now, report);
      if (options.dry_run) throw DryRunEnds{};
    });
  } catch (const DryRunEnds&) {
    report.last_event = 0;
  }
  Finish(work, found, report);
  return report;
}

}  // namespace certwright::migrate

#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/key.h"
#include "certwright/store/uploads.h"
#include "import_parts.h"
#include "reading.h"

namespace certwright::migrate {
namespace {

// Whom it trusts was checked when it was uploaded.
void Check(const FoundUpload& found, const ImportOptions& options, UploadCandidate& candidate) {
  const crypto::CertificateInfo leaf = crypto::InspectChain(found.chain_pem).front();
  CertificateOutcome& outcome = candidate.outcome;
  outcome.names = model::Names(leaf.names);
  outcome.not_after = leaf.not_after;
  if (leaf.not_after <= options.now) {
    outcome.fate = Fate::kExpired;
    return;
  }
  if (leaf.common_name.empty() && leaf.names.empty()) Refuse("there is no name in the certificate");
  const auto key = crypto::PrivateKey::FromPem(found.key_pem);
  if (leaf.public_key_der != key.PublicKeyDer()) {
    Refuse("there is a certificate with another key than that beside it");
  }
  candidate.label = crypto::LabelOf(leaf);
  candidate.version = crypto::UploadedVersion(found.chain_pem, key, options.now);
  outcome.names = model::Names(candidate.version->names);
}

}  // namespace

std::vector<UploadCandidate> LookAtUploads(const Found& found, const ImportOptions& options) {
  std::vector<UploadCandidate> candidates;
  for (const FoundUpload& upload : found.uploads) {
    UploadCandidate& candidate = candidates.emplace_back();
    candidate.outcome.from = upload.from;
    try {
      Check(upload, options, candidate);
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kInput) throw;
      candidate.outcome.fate = Fate::kLeftOut;
      candidate.outcome.why = error.failure().detail;
    }
  }
  return candidates;
}

std::int64_t StoreUploads(store::Session& session, std::vector<UploadCandidate>& candidates,
                          UnixSeconds now) {
  std::int64_t last = 0;
  for (UploadCandidate& candidate : candidates) {
    if (!candidate.version) continue;
    const auto held = store::FindUpload(session, candidate.label);
    if (held && held->current && held->current->not_after >= candidate.version->not_after) {
      const bool same = held->current->fingerprint == candidate.version->fingerprint;
      candidate.outcome.fate = same ? Fate::kPresent : Fate::kKept;
      continue;
    }
    last = std::max(last, store::SaveUpload(session, candidate.label, *candidate.version, now));
  }
  return last;
}

}  // namespace certwright::migrate

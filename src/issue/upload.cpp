#include "certwright/issue/upload.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/store/uploads.h"

namespace certwright::issue {

namespace {

using Chain = std::vector<crypto::CertificateInfo>;
using Why = UploadRefused::Why;

// What `read` gives; its Error(kInput) is why the pair is not taken.
template <typename Read>
auto OrRefuse(Why why, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kInput) throw;
    throw UploadRefused{why, error.what()};
  }
}

void CheckTrust(const UploadRequest& request, const Chain& chain, UnixSeconds now) {
  switch (request.trust) {
    case UploadTrust::kNone: return;
    case UploadTrust::kSelfSigned: {
      const std::string wrong = crypto::WhyNotSelfSigned(chain, now);
      if (!wrong.empty()) throw UploadRefused{Why::kNotSelfSigned, wrong};
      return;
    }
    case UploadTrust::kRoots: {
      const std::string wrong = crypto::WhyUntrusted(chain, request.roots_pem, now);
      if (!wrong.empty()) throw UploadRefused{Why::kUntrusted, wrong};
      return;
    }
  }
}

}  // namespace

Uploaded Upload(store::Database& database, events::Feed& feed, Clock& clock,
                const UploadRequest& request) {
  const auto key =
      OrRefuse(Why::kKey, [&] { return crypto::PrivateKey::FromPem(request.key_pem); });
  const Chain chain =
      OrRefuse(Why::kFormat, [&] { return crypto::InspectChain(request.chain_pem); });
  const crypto::CertificateInfo& leaf = chain.front();
  if (leaf.common_name.empty() && leaf.names.empty()) {
    throw UploadRefused{Why::kNoName,
                        "the certificate has neither a common name nor a subjectAltName"};
  }
  if (leaf.public_key_der != key.PublicKeyDer()) {
    throw UploadRefused{Why::kMismatch, "the key is not that of the (first) certificate"};
  }
  const UnixSeconds now = clock.Now();
  CheckTrust(request, chain, now);

  Uploaded result;
  result.version = crypto::UploadedVersion(request.chain_pem, key, now);
  result.event_seq = database.Write([&](store::Session& session) {
    return store::SaveUpload(session, crypto::LabelOf(leaf), result.version, now);
  });
  if (result.event_seq == 0) return result;
  feed.Notify();
  log::Info(Cat("certificate uploaded: ", Join(model::Names(result.version.names), ", "),
                " serial ", result.version.serial_hex, " until ",
                FormatUtc(result.version.not_after)));
  return result;
}

}  // namespace certwright::issue

#include "certwright/store/uploads.h"

#include <set>

#include "certwright/base/text.h"
#include "certwright/store/events.h"

namespace certwright::store {

namespace {

// No name set begins so: ":" has no place in a host name, and "u" none in an address.
constexpr std::string_view kPrefix = "upload:";

std::string KeyOf(const std::string& label) { return Cat(kPrefix, ToLower(label)); }

bool IsSamePair(const std::optional<HeldCertificate>& held,
                const model::CertificateVersion& version) {
  return held && held->current && held->current->fingerprint == version.fingerprint &&
         held->current->chain_pem == version.chain_pem &&
         held->current->key_pem == version.key_pem;
}

}  // namespace

std::optional<HeldCertificate> FindUpload(Session& session, const std::string& label) {
  return FindByNameSet(session, KeyOf(label));
}

std::optional<std::string> UploadLabel(const model::ManagedCertificate& certificate) {
  if (!certificate.name_set.starts_with(kPrefix)) return std::nullopt;
  return certificate.name_set.substr(kPrefix.size());
}

std::int64_t SaveUpload(Session& session, const std::string& label,
                        const model::CertificateVersion& version, UnixSeconds now) {
  const auto former = FindUpload(session, label);
  if (IsSamePair(former, version)) return 0;
  model::ManagedCertificate wanted;
  wanted.name_set = KeyOf(label);
  wanted.names = version.names;
  model::CertificateVersion uploaded = version;
  uploaded.certificate_id = EnsureManaged(session, wanted, now).id;
  uploaded.origin = model::Origin::kUpload;
  uploaded.ca.clear();
  uploaded.created_at = now;
  // Due at once: when to warn of its end is planned by who looks at it.
  AddCurrentVersion(session, uploaded, now, now);

  std::set<std::string> names;
  for (const std::string& name : model::Names(version.names)) names.insert(name);
  if (former && former->current) {
    for (const std::string& name : model::Names(former->current->names)) names.insert(name);
  }
  model::Event event;
  event.name = "certificate-changed";
  event.reason = "uploaded";
  event.names = {names.begin(), names.end()};
  event.certificate_id = uploaded.certificate_id;
  event.created_at = now;
  return AppendEvent(session, event);
}

}  // namespace certwright::store

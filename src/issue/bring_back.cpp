#include "certwright/issue/bring_back.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/key.h"
#include "certwright/store/events.h"
#include "certwright/store/revocations.h"

namespace certwright::issue {

using model::CertificateVersion;

namespace {

[[noreturn]] void Refuse(const CertificateVersion& version, std::string_view why,
                         std::string advice) {
  throw Error(FailureCode::kRefused,
              Cat("the version with the serial ", version.serial_hex,
                  " cannot be used again: ", why),
              std::move(advice));
}

void CheckUsable(store::Session& session, const CertificateVersion& version, UnixSeconds now) {
  constexpr const char* kOther = "'certwright show' lists the others; 'certwright renew --force' "
                                 "obtains a new one";
  if (!version.revocation_reason.empty() || store::IsRevoked(session, version.fingerprint)) {
    Refuse(version, version.revoked_at > 0 ? "it is revoked" : "it is about to be revoked", kOther);
  }
  if (now < version.not_before) {
    Refuse(version, Cat("it is not valid before ", FormatUtc(version.not_before)), kOther);
  }
  if (now >= version.not_after) {
    Refuse(version, Cat("it was valid until ", FormatUtc(version.not_after)), kOther);
  }
  const std::string of_leaf = crypto::InspectChain(version.chain_pem).front().public_key_der;
  if (crypto::PrivateKey::FromPem(version.key_pem).PublicKeyDer() != of_leaf) {
    Refuse(version, "its key does not belong to it", kOther);
  }
}

}  // namespace

BroughtBack BringBack(store::Database& database, events::Feed& feed, Clock& clock,
                      const std::string& serial) {
  BroughtBack result;
  database.Write([&](store::Session& session) {
    const auto version = store::FindVersionBySerial(session, serial);
    if (!version) {
      throw Error(FailureCode::kNotFound,
                  Cat("no version has the serial '", Printable(serial, 100), "'"),
                  "'certwright show NAME' lists the versions that are kept");
    }
    const auto held = store::FindById(session, version->certificate_id);
    const bool is_current = held->current && held->current->id == version->id;
    if (!is_current) {
      CheckUsable(session, *version, clock.Now());
      store::MakeCurrent(session, version->id, clock.Now(), clock.Now());
      model::Event event;
      event.name = "certificate-changed";
      event.reason = "restored";
      event.names = model::Names(version->names);
      event.certificate_id = version->certificate_id;
      event.not_after = version->not_after;
      event.created_at = clock.Now();
      result.event_seq = store::AppendEvent(session, event);
    }
    result.held = *store::FindById(session, version->certificate_id);
  });
  if (result.event_seq > 0) {
    feed.Notify();
    log::Info(Cat("certificate restored: ", result.held.certificate.name_set, " serial ",
                  result.held.current->serial_hex));
  }
  return result;
}

}  // namespace certwright::issue

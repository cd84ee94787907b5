// list-certificates and delete-certificate.
#include <algorithm>
#include <map>

#include "certwright/base/encoding.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/json/failure.h"
#include "certwright/store/renewals.h"
#include "certwright/store/revocations.h"
#include "certwright/store/uploads.h"
#include "handler.h"
#include "wishes.h"

namespace certwright::actions {

namespace {

using model::Origin;

constexpr int kExitNotFound = 2;

// "2026-11-25T20:37:02+00:00"
std::string IsoTime(UnixSeconds time) {
  std::string text = FormatUtc(time);
  if (text.ends_with('Z')) text.pop_back();
  return text + "+00:00";
}

const char* PurposeKey(Purpose purpose) {
  switch (purpose) {
    case Purpose::kDefault: return "default";
    case Purpose::kAutomatic: return "automatic";
    case Purpose::kObsolete: return "obsolete";
  }
  return "";
}

json::Value CertificateJson(const store::HeldCertificate& held, const model::RenewalInfo& known,
                            const Wishes& wishes, UnixSeconds now) {
  const model::CertificateVersion& version = *held.current;
  std::vector<std::string> names = model::Names(version.names);
  std::sort(names.begin(), names.end());
  const auto label = store::UploadLabel(held.certificate);
  const std::optional<Failure>& error = held.certificate.last_error;
  json::Members members{
      {"names", names},
      {"subject", version.subject},
      {"issuer", version.issuer},
      {"serial", DecimalOfInteger(FromHex(version.serial_hex).value_or(""))},
      {"valid_from", IsoTime(version.not_before)},
      {"valid_to", IsoTime(version.not_after)},
      {"validity", Validity(version, now)},
      {"type", label ? "custom" : "internal"}};
  if (label) {
    members.emplace_back("path", PathOfLabel(*label));
  } else {
    members.emplace_back(PurposeKey(wishes.PurposeOf(held.certificate)), true);
  }
  const UnixSeconds renew_at = renewal::Plan(held.certificate, held.current, known, now).renew_at;
  members.emplace_back("next_renewal", TimeOrNull(renew_at));
  members.emplace_back("last_error", error ? json::ToJson(*error) : json::Value());
  members.emplace_back("ca", version.ca);
  return json::Value::FromMembers(std::move(members));
}

[[noreturn]] void FailUnknown(const Invocation& call, const std::string& field) {
  throw CheckFailed{kExitNotFound, field, field, call.input[field], "certificate_not_found", "", {}};
}

store::HeldCertificate FindCustom(const Invocation& call, store::Session& session) {
  if (const auto label = LabelOfPath(call.input.String("path"))) {
    const auto held = store::FindUpload(session, *label);
    if (held && held->current) return *held;
  }
  FailUnknown(call, "path");
}

// A former serial is listed nowhere: who gives it does not mean the certificate that came after.
store::HeldCertificate FindInternal(const Invocation& call, store::Session& session) {
  const auto held =
      store::FindCurrentBySerial(session, call.input.String("serial"), Origin::kAcme);
  if (held) return *held;
  FailUnknown(call, "serial");
}

std::vector<store::HeldCertificate> FindDoomed(const Invocation& call, store::Session& session) {
  if (call.input.String("type") == "custom") return {FindCustom(call, session)};
  if (call.input.Has("serial")) return {FindInternal(call, session)};
  const Wishes wishes(session);
  std::vector<store::HeldCertificate> obsolete;
  for (store::HeldCertificate& held : store::ListWithoutChains(session)) {
    const bool internal = held.current && held.current->origin == Origin::kAcme;
    if (internal && wishes.PurposeOf(held.certificate) == Purpose::kObsolete) {
      obsolete.push_back(std::move(held));
    }
  }
  return obsolete;
}

}  // namespace

std::optional<json::Value> ListCertificates(const Invocation& call) {
  const UnixSeconds now = call.context.clock.Now();
  json::Array list;
  call.context.database.Read([&](store::Session& session) {
    const Wishes wishes(session);
    const std::map<std::string, model::RenewalInfo> known = store::ListRenewalInfo(session);
    const model::RenewalInfo nothing;
    for (const store::HeldCertificate& held : store::ListWithoutChains(session)) {
      if (!held.current) continue;  // asked for, and not obtained
      const auto info = known.find(held.current->ari_id);
      list.push_back(
          CertificateJson(held, info == known.end() ? nothing : info->second, wishes, now));
    }
  });
  return json::Value::Object({{"certificates", std::move(list)}});
}

std::optional<json::Value> DeleteCertificate(const Invocation& call) {
  const Context& context = call.context;
  const UnixSeconds now = context.clock.Now();
  const bool sweeps = call.input.Bool("obsolete");
  std::vector<std::string> names;
  const std::int64_t seq = context.database.Write([&](store::Session& session) {
    std::int64_t last = 0;
    for (const store::HeldCertificate& held : FindDoomed(call, session)) {
      try {
        RefuseWhileUnderWay(call, held);
        last = std::max(last, issue::RemoveWithWishes(session, held, "deleted", now));
      } catch (const Error& error) {
        // Being renewed, or to be revoked yet: the next sweep finds it.
        if (!sweeps || error.failure().code != FailureCode::kTimeout) throw;
        log::Info(Cat("left as it is: ", error.failure().detail));
        continue;
      }
      for (std::string& name : model::Names(held.current->names)) names.push_back(std::move(name));
    }
    return last;
  });
  AfterRemoval(call, seq);
  return json::Value::Object({{"certificate_names", names}});
}

}  // namespace certwright::actions

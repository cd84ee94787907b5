#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/revoke.h"
#include "certwright/store/revocations.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr Millis kPatience{15'000};

struct Meant {
  store::HeldCertificate held;
  model::CertificateVersion version;
  bool is_current = false;
};

// By name the current version, by serial any that is kept. Throws Error(kNotFound).
Meant FindVersionMeant(const Invocation& call) {
  const std::string text = call.input.String("certificate");
  return call.context.database.Read([&](store::Session& session) -> Meant {
    Meant meant;
    meant.held = FindExact(session, text);
    const auto& current = meant.held.current;
    const auto by_serial = store::FindVersionBySerial(session, text);
    if (by_serial && by_serial->certificate_id == meant.held.certificate.id) {
      meant.version = *by_serial;
    } else if (current) {
      meant.version = *current;
    } else {
      throw Error(FailureCode::kNotFound,
                  Cat(meant.held.certificate.name_set,
                      " was asked for, but no certificate was obtained yet"));
    }
    meant.is_current = current && current->id == meant.version.id;
    return meant;
  });
}

json::Value Outcome(const Meant& meant) {
  return json::Value::Object({{"serial", meant.version.serial_hex},
                              {"names", model::Names(meant.version.names)},
                              {"replaced_by", json::Value()},
                              {"removed", false}});
}

// The replacement is in use before what it replaces is revoked. Gives its serial.
std::string Replace(const Invocation& call, const Meant& meant) {
  issue::ObtainRequest request;
  request.identifiers = meant.held.certificate.names;
  request.owner = meant.held.certificate.owner;
  request.renew = true;
  request.planned_for = meant.version.id;  // the scheduler may be quicker
  issue::ObtainResult result;
  try {
    result = ObtainNow(call, request, std::chrono::seconds(call.input.Int("timeout", 90)));
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.detail = Cat("nothing is revoked yet, for there is no replacement: ", failure.detail);
    // The fuse's own advice names a way that this command does not have.
    const bool has_advice = failure.code != FailureCode::kFuse && !failure.advice.empty();
    failure.advice = Cat("it is ordered again by itself and the revocation carried on; 'certwright "
                         "revoke' without --replace does not wait, 'certwright issue --force' orders "
                         "past the fuse",
                         has_advice ? "; " : "", has_advice ? failure.advice : "");
    throw Error(std::move(failure));
  }
  try {
    AwaitServed(call, *result.held.current, result.event_seq);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kTraefik) throw;
    log::Warning(Cat(error.failure().detail, ": the former one is revoked all the same"));
  }
  return result.held.current->serial_hex;
}

}  // namespace

std::optional<json::Value> Revoke(const Invocation& call) {
  const Meant meant = FindVersionMeant(call);
  json::Value output = Outcome(meant);
  if (meant.version.revoked_at > 0) return output;
  store::RevocationWish wish;
  wish.reason = call.input.String("reason", "unspecified");
  wish.with_key = call.input.Bool("with_key");
  wish.replaced = call.input.Bool("replace") && meant.is_current;
  if (meant.is_current) RefuseWhileUnderWay(call, meant.held);
  call.context.revoker.Want(meant.version.id, wish);
  if (wish.replaced) output.Set("replaced_by", Replace(call, meant));
  const std::int64_t seq = call.context.revoker.Revoke(meant.version.id, call.progress, call.stop);
  if (seq > 0) call.context.deliver(seq, kPatience, call.stop);
  return output.Set("removed", seq > 0);
}

}  // namespace certwright::actions

#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/json/failure.h"
#include "certwright/renewal/failure_class.h"
#include "certwright/store/orders.h"
#include "certwright/store/renewals.h"
#include "certwright/store/uploads.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr UnixSeconds kDay = 24 * 3600;
constexpr std::string_view kUploadDir = "custom_certificates/";
constexpr std::string_view kUploadEnd = ".crt";

// None where the text can only be a serial, or nothing.
std::vector<model::Identifier> NamesIn(const std::string& names_or_serial) {
  try {
    return model::ParseIdentifiers(Split(names_or_serial, ','));
  } catch (const Error&) {
    return {};
  }
}

// Of a CA's and an uploaded one with the same name the CA's is meant: a path means the other.
std::optional<store::HeldCertificate> Exactly(store::Session& session,
                                              const std::string& names_or_serial) {
  if (const auto label = LabelOfPath(names_or_serial)) return store::FindUpload(session, *label);
  if (const auto names = NamesIn(names_or_serial); !names.empty()) {
    if (auto held = store::FindByNameSet(session, model::NameSetKey(names))) return held;
  }
  if (auto held = store::FindBySerial(session, names_or_serial)) return held;
  return store::FindUpload(session, names_or_serial);
}

// Those that cover one of the names, as a person would name them; a few are enough.
std::vector<std::string> Candidates(store::Session& session,
                                    const std::vector<model::Identifier>& names) {
  constexpr std::size_t kMost = 5;
  std::vector<std::string> candidates;
  for (const model::Identifier& name : names) {
    for (const store::HeldCertificate& held : store::FindCovering(session, name.value)) {
      const std::string text = Cat(Printable(held.certificate.name_set, 260), " (serial ",
                                   held.current->serial_hex, ")");
      const bool known = std::find(candidates.begin(), candidates.end(), text) != candidates.end();
      if (!known) candidates.push_back(text);
      if (candidates.size() == kMost) return candidates;
    }
  }
  return candidates;
}

[[noreturn]] void FailUnknown(const std::string& name_or_serial) {
  throw Error(FailureCode::kNotFound,
              Cat("no certificate for the name or serial '", Printable(name_or_serial, 260), "'"),
              "'certwright list' shows what is there");
}

}  // namespace

std::string PathOfLabel(const std::string& label) { return Cat(kUploadDir, label, kUploadEnd); }

std::optional<std::string> LabelOfPath(const std::string& path) {
  const std::size_t around = kUploadDir.size() + kUploadEnd.size();
  const bool is_path = path.starts_with(kUploadDir) && path.ends_with(kUploadEnd);
  if (!is_path || path.size() <= around) return std::nullopt;
  return path.substr(kUploadDir.size(), path.size() - around);
}

std::string Validity(const model::CertificateVersion& version, UnixSeconds now) {
  if (!model::IsValidAt(version, now)) return "expired";
  const UnixSeconds lifetime = version.not_after - version.not_before;
  const UnixSeconds warning = lifetime < 90 * kDay ? lifetime / 3 : 30 * kDay;
  return version.not_after - now <= warning ? "expiring" : "valid";
}

Prospects::Prospects(const Context& context, store::Session& session) : session_(session) {
  for (model::OrderRecord& order : store::ListOpenOrders(session)) {
    if (context.authorities.Find(order.directory) == nullptr) continue;
    open_[order.certificate_id].push_back(std::move(order));
  }
}

Prospect Prospects::Of(const store::HeldCertificate& held) {
  Prospect prospect;
  if (held.current && !held.current->ari_id.empty()) {
    prospect.window = store::FindRenewalInfo(session_, held.current->ari_id)
                          .value_or(model::RenewalInfo());
  }
  const auto open = open_.find(held.certificate.id);
  if (open != open_.end()) prospect.open = open->second;
  return prospect;
}

renewal::Due Prospect::Plan(const store::HeldCertificate& held, UnixSeconds now) const {
  return renewal::Plan(held.certificate, held.current, window, open, now);
}

json::Value WindowJson(const model::RenewalInfo& known) {
  if (known.end <= known.start) return {};
  return json::Value::Object({{"start", FormatUtc(known.start)},
                              {"end", FormatUtc(known.end)},
                              {"explanation_url", known.explanation_url}});
}

json::Value DescribeNow(const Context& context, const store::HeldCertificate& held) {
  const Prospect prospect = context.database.Read(
      [&](store::Session& session) { return Prospects(context, session).Of(held); });
  return Describe(held, prospect, context.clock.Now());
}

json::Value Describe(const store::HeldCertificate& held, const Prospect& prospect,
                     UnixSeconds now) {
  const model::ManagedCertificate& certificate = held.certificate;
  const auto label = store::UploadLabel(certificate);
  json::Value value =
      json::Value::Object({{"names", model::Names(label && held.current ? held.current->names
                                                                        : certificate.names)}});
  if (held.current) {
    const model::CertificateVersion& version = *held.current;
    value.Set("serial", version.serial_hex)
        .Set("subject", version.subject)
        .Set("issuer", version.issuer)
        .Set("valid_from", FormatUtc(version.not_before))
        .Set("valid_to", FormatUtc(version.not_after))
        .Set("validity", Validity(version, now))
        .Set("fingerprint", version.fingerprint)
        .Set("ca", version.ca);
  } else {
    value.Set("validity", "missing");
  }
  if (label) value.Set("path", PathOfLabel(*label));
  value
      .Set("key_type", label ? json::Value()
                             : json::Value(model::KeyTypeName(certificate.policy.key_type)))
      .Set("owner", certificate.owner)
      .Set("next_renewal", TimeOrNull(prospect.Plan(held, now).renew_at));
  const bool pending = held.current && held.current->revoked_at == 0;
  value.Set("to_be_revoked", pending ? held.current->revocation_reason : "");
  TellFailure(certificate, value);
  return value;
}

void TellFailure(const model::ManagedCertificate& certificate, json::Value& value) {
  const std::optional<Failure>& error = certificate.last_error;
  json::Value preflight;
  if (certificate.preflight_at > 0) {
    preflight = json::Value::Object(
        {{"good", certificate.preflight_good ? json::Value(*certificate.preflight_good)
                                             : json::Value()},
         {"saw", certificate.preflight_saw},
         {"at", FormatUtc(certificate.preflight_at)},
         {"next_at", TimeOrNull(certificate.next_action_at)}});
  }
  value.Set("failures", certificate.failures)
      .Set("last_error", error ? json::ToJson(*error) : json::Value())
      .Set("last_error_at", TimeOrNull(error ? certificate.last_error_at : 0))
      .Set("failure_class",
           error ? json::Value(renewal::FailureClassName(renewal::ClassOf(*error))) : json::Value())
      .Set("parked", error && renewal::IsParked(certificate.failures))
      .Set("preflight", preflight);
}

store::HeldCertificate FindMeant(store::Session& session, const std::string& name_or_serial) {
  if (auto held = Exactly(session, name_or_serial)) return *held;
  const auto names = NamesIn(name_or_serial);
  if (names.size() == 1) {
    const auto covering = store::FindCovering(session, names.front().value);
    if (!covering.empty()) return covering.front();
  }
  FailUnknown(name_or_serial);
}

store::HeldCertificate FindExact(store::Session& session, const std::string& names_or_serial) {
  if (auto held = Exactly(session, names_or_serial)) return *held;
  const std::vector<std::string> candidates = Candidates(session, NamesIn(names_or_serial));
  if (candidates.empty()) FailUnknown(names_or_serial);
  throw Error(FailureCode::kNotFound,
              Cat("no certificate is for exactly '", Printable(names_or_serial, 260),
                  "'; it is covered by: ", Join(candidates, "; ")),
              "give all names of the one that is meant, joined by commas, or its serial");
}

void RefuseWhileUnderWay(const Invocation& call, const store::HeldCertificate& held) {
  if (!call.context.jobs.IsUnderWay(held.certificate.name_set)) return;
  throw Error(FailureCode::kTimeout,
              Cat("an issuance for ", held.certificate.name_set, " is under way"),
              "try again when it has ended");
}

issue::ObtainResult ObtainNow(const Invocation& call, const issue::ObtainRequest& request,
                              Millis timeout) {
  const std::string name_set = model::NameSetKey(request.identifiers);
  call.context.database.Write([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, name_set);
    if (held) store::SetDiscard(session, held->certificate.id, false);  // it is wanted again
  });
  if (call.context.obtainer.HasWork(request)) PresentRoute(call);
  return call.context.jobs.Submit(request)->Wait(timeout, call.progress, call.stop);
}

void AfterRemoval(const Invocation& call, std::int64_t seq) {
  const Context& context = call.context;
  if (seq > 0) {
    context.feed.Notify();
    context.deliver(seq, Millis(15'000), call.stop);
  }
  issue::WantWhatIsMissing(context.database, context.obtainer.defaults(), context.clock.Now());
}

void Forget(const Invocation& call, const std::string& name_set) {
  const Context& context = call.context;
  if (context.jobs.IsUnderWay(name_set)) return;
  const auto dropped = context.database.Write([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, name_set);
    return held ? issue::DropForsaken(session, *held, context.clock.Now()) : std::nullopt;
  });
  if (dropped.value_or(0) > 0) context.feed.Notify();
}

void PresentRoute(const Invocation& call) {
  constexpr Millis kPatience{5'000};
  if (!call.context.deliver(0, kPatience, call.stop)) {
    log::Warning("Traefik does not show the challenge route yet: going on all the same");
  }
}

bool AwaitServed(const Invocation& call, const model::CertificateVersion& version,
                 std::int64_t event_seq) {
  constexpr Millis kPatience{15'000};
  const Context& context = call.context;
  if (event_seq > 0 && !context.deliver(event_seq, kPatience, call.stop)) {
    throw Error(FailureCode::kTraefik,
                "the certificate is stored, but Traefik does not serve it yet",
                "see 'certwright traefik check' and the log; it is tried again by itself");
  }
  if (context.traefik == nullptr || version.names.empty()) return false;
  const std::string& name = version.names.front().value;
  const auto wait = [&](Millis timeout) {
    return context.traefik->WaitServed(name, version.serial_hex, timeout, call.stop);
  };
  // Of one that was there before the call, only a Traefik that answers is waited for.
  traefik::Seen seen = event_seq > 0 ? wait(kPatience) : wait(Millis{0});
  if (event_seq == 0 && seen == traefik::Seen::kNotServed) {
    context.deliver(0, kPatience, call.stop);
    seen = wait(kPatience);
  }
  switch (seen) {
    case traefik::Seen::kServed: call.Tell("served", "served by Traefik", 100); return true;
    case traefik::Seen::kNotLooked:
      call.Tell("written", "given to Traefik; no handshake could be tried", 100);
      return false;
    case traefik::Seen::kNotServed:
    case traefik::Seen::kUnreachable: break;
  }
  throw Error(
      FailureCode::kTraefik,
      Cat("the certificate is stored, but no TLS handshake for ", name,
          seen == traefik::Seen::kUnreachable ? " through Traefik can be had: it cannot be reached"
                                              : " through Traefik shows it"),
      "see 'certwright traefik check'");
}

Served AwaitServedOrTell(const Invocation& call, const model::CertificateVersion& version,
                         std::int64_t event_seq) {
  try {
    return {AwaitServed(call, version, event_seq), std::nullopt};
  } catch (const Error& error) {
    const FailureCode code = error.failure().code;
    if (code != FailureCode::kTraefik && code != FailureCode::kCancelled) throw;
    log::Warning(error.failure().detail);
    return {false, error.failure()};
  }
}

}  // namespace certwright::actions

// Obtainer: what is written down, each in one transaction.
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/key.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/issue/obtain.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"
#include "certwright/store/renewals.h"
#include "certwright/store/revocations.h"
#include "decide.h"
#include "fuse.h"

namespace certwright::issue {

using model::CertificateVersion;
using model::ManagedCertificate;
using model::OrderRecord;
using model::OrderState;

namespace {

// By the fuse or the ledger: no CA was asked, and what one said before stays the reason.
bool IsRefusedHere(const Failure& failure) {
  return failure.code == FailureCode::kFuse ||
         (failure.code == FailureCode::kRateLimited && failure.acme_type.empty());
}

model::Event FailedEvent(const store::HeldCertificate& held, const Failure& failure,
                         const std::string& reason, UnixSeconds now) {
  model::Event event;
  event.name = "certificate-failed";
  event.reason = reason;
  event.names = model::Names(held.certificate.names);
  event.certificate_id = held.certificate.id;
  event.not_after = held.current ? held.current->not_after : 0;
  event.failure = failure;
  event.created_at = now;
  return event;
}

ManagedCertificate Wanted(const ObtainRequest& request, const model::CertificatePolicy& policy,
                          UnixSeconds now) {
  constexpr UnixSeconds kLook = 600;
  ManagedCertificate wanted;
  wanted.name_set = model::NameSetKey(request.identifiers);
  wanted.names = request.identifiers;
  wanted.policy = policy;
  wanted.owner = request.owner;
  wanted.next_action_at = now + kLook;  // a new one: somebody looks, should this process die
  return wanted;
}

}  // namespace

Obtainer::Work Obtainer::TakeUp(const Authority& authority, const ObtainRequest& request,
                                const std::optional<store::HeldCertificate>& held) {
  const model::CertificatePolicy before = held ? held->certificate.policy : defaults_;
  const model::CertificatePolicy policy = request.wish.Over(before);
  const UnixSeconds now = clock_.Now();
  const ManagedCertificate wanted = Wanted(request, policy, now);
  const auto current = held ? held->current : std::nullopt;
  OrderRecord order;
  order.directory = authority.directory();
  order.identifiers = request.identifiers;
  order.profile = authority.profile.value_or(policy.profile);
  order.preferred_chain = authority.preferred_chain.value_or(policy.preferred_chain);
  order.forced = request.force;
  if (AskedFor(order.directory, order.identifiers, current).replaces) {
    order.replaces = current->ari_id;
  }
  order.created_at = order.updated_at = now;
  // Before the transaction: an RSA key takes seconds.
  const bool to_be_revoked =
      held && held->current && !held->current->revocation_reason.empty();
  const bool same_key = policy.reuse_key && policy.key_type == before.key_type && held;
  order.key_pem = same_key && held->current && !to_be_revoked
                      ? held->current->key_pem
                      : crypto::PrivateKey::Generate(policy.key_type).ToPkcs8Pem();
  return database_.Write([&](store::Session& session) -> Work {
    const ManagedCertificate certificate = store::EnsureManaged(session, wanted, now);
    for (OrderRecord& open : store::FindOpenOrders(session, certificate.id)) {
      if (policy != before) {
        GiveUp(session, open, "other settings were asked for");
      } else if (to_be_revoked && open.key_pem == held->current->key_pem) {
        GiveUp(session, open, "its key is that of a certificate that is to be revoked");
      } else if (open.directory == order.directory) {
        // Not made yet, and nothing is taken for it: the CA refused it for its limits.
        if (open.url.empty() && open.counted.empty()) {
          open.forced = open.forced || request.force;
          ledger_.Admit(session, open, current, now);
          store::SaveOrder(session, open);
        }
        return {std::move(open), true};
      } else if (authorities_.Find(open.directory) == nullptr) {
        GiveUp(session, open, "the CA was changed");
      }
    }
    if (!request.force) CheckFuse(session, fuse_, order.identifiers, now);
    ledger_.Admit(session, order, current, now);
    order.certificate_id = certificate.id;
    order.id = store::InsertOrder(session, order);
    // Due until it has ended: an order that a dead process leaves open is found by the next look (I2).
    if (held) store::SetNextAction(session, certificate.id, now, now);
    return {std::move(order), false};
  });
}

void Obtainer::SaveFailed(OrderRecord& order, const Failure& failure, OrderState reached) {
  order.updated_at = clock_.Now();
  database_.Write([&](store::Session& session) {
    ledger_.Failed(session, order, failure, reached, clock_.Now());
    store::SaveOrder(session, order);
  });
}

void Obtainer::GiveUp(store::Session& session, OrderRecord& order, std::string why) {
  ledger_.GiveUp(session, order, clock_.Now());
  order.state = OrderState::kFailed;
  order.leftover = !order.authorizations.empty();
  order.failure = Failure{};
  order.failure->code = FailureCode::kCancelled;
  order.failure->detail = std::move(why);
  store::SaveOrder(session, order);
}

Failure Obtainer::RecordFailure(const ObtainRequest& request, Failure failure) {
  if (failure.code == FailureCode::kCancelled) return failure;  // nobody's
  // For the daemon's log; a command tells it in its own words.
  log::Info(Cat(model::NameSetKey(request.identifiers), ": not obtained: ", failure.detail));
  try {
    database_.Write([&](store::Session& session) {
      auto held = store::FindByNameSet(session, model::NameSetKey(request.identifiers));
      if (!held && MayGoElsewhere(failure)) {
        // It will pass: the wish is remembered, and tried again then.
        const auto policy = request.wish.Over(defaults_);
        const auto made = store::EnsureManaged(session, Wanted(request, policy, clock_.Now()),
                                               clock_.Now());
        held = store::FindById(session, made.id);
      }
      if (!held) return;
      const bool is_kept = held->certificate.last_error && IsRefusedHere(failure);
      const AfterFailure after = next_try_(failure, held->certificate.failures + (is_kept ? 0 : 1));
      failure.retry_at = after.try_at;
      if (is_kept) {
        failure.detail += Cat("; the last try: ", held->certificate.last_error->detail);
        return store::KeepFailure(session, held->certificate.id, after.try_at, after.look_at,
                                  clock_.Now());
      }
      store::RecordFailure(session, held->certificate.id, failure, after.look_at, clock_.Now());
      if (after.told.empty()) return;
      store::AppendEvent(session, FailedEvent(*held, failure, after.told, clock_.Now()));
    });
    feed_.Notify();
  } catch (const Error& error) {
    log::Error(Cat("the failure could not be written down: ", error.what()));
  }
  return failure;
}

// An order of a backup may lead to a certificate that was revoked after it.
void Obtainer::RefuseRevoked(const OrderRecord& order, const CertificateVersion& version) {
  const auto failure = database_.Write([&](store::Session& session) {
    if (!store::IsRevoked(session, version.fingerprint)) return std::optional<Failure>();
    OrderRecord ended = order;
    ended.state = OrderState::kFailed;
    ended.failure = Failure{};
    ended.failure->code = FailureCode::kRefused;
    ended.failure->detail = Cat("the order led to a certificate that was revoked: serial ",
                                version.serial_hex);
    ended.failure->identifiers = model::Names(version.names);
    ended.failure->advice = "the next try orders another one";
    store::SaveOrder(session, ended);
    return ended.failure;
  });
  if (failure) throw Error(*failure);
}

ObtainResult Obtainer::Activate(const OrderRecord& order, const ObtainRequest& request,
                                CertificateVersion version, bool had_version) {
  version.certificate_id = order.certificate_id;
  version.ca = order.directory;
  version.origin = model::Origin::kAcme;
  version.created_at = clock_.Now();

  model::Event event;
  event.name = "certificate-changed";
  event.reason = had_version ? "renewed" : "issued";
  event.names = model::Names(version.names);
  event.certificate_id = order.certificate_id;
  event.created_at = clock_.Now();

  ObtainResult result;
  result.issued = true;
  RefuseRevoked(order, version);
  database_.Write([&](store::Session& session) {
    store::AddCurrentVersion(session, version, clock_.Now(), clock_.Now());
    store::SaveOrder(session, order);
    ledger_.Succeeded(session, order);
    for (OrderRecord& open : store::FindOpenOrders(session, order.certificate_id)) {
      GiveUp(session, open, "the certificate was obtained from another CA");
    }
    result.event_seq = store::AppendEvent(session, event);
    result.held = *store::FindById(session, order.certificate_id);
    const ManagedCertificate& certificate = result.held.certificate;
    // Remembered once it was obtained, also when nobody waits any more. A renewal is not asked for:
    // the module may want another name by now, or none.
    const UnixSeconds asked_at =
        request.asked_at > 0 || had_version ? request.asked_at : certificate.created_at;
    const bool is_module = certificate.owner.starts_with("module/");
    if (is_module && asked_at > 0) {
      RememberName(session, {certificate.owner, event.names.front(), asked_at}, clock_.Now());
    }
  });
  feed_.Notify();
  log::Info(Cat("certificate ", event.reason, ": ", Join(event.names, ", "), " serial ",
                version.serial_hex, " until ", FormatUtc(version.not_after)));
  return result;
}

void Obtainer::Remember(const std::vector<Asker>& askers, const std::string& name) {
  database_.Write([&](store::Session& session) {
    for (const Asker& asker : askers) {
      if (!asker.owner.starts_with("module/") || asker.asked_at == 0) continue;
      RememberName(session, {asker.owner, name, asker.asked_at}, clock_.Now());
    }
  });
}

}  // namespace certwright::issue

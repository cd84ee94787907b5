#include "certwright/issue/obtain.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "certwright/acme/order_flow.h"
#include "certwright/acme/retry.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/key.h"
#include "certwright/issue/housekeeping.h"
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

constexpr UnixSeconds kDay = 24 * 3600;

// What the CA says of the account (RFC 8555 section 6.7), whatever it was asked for.
bool IsOfTheAccount(const Failure& failure) {
  return failure.acme_type == "accountDoesNotExist" || failure.acme_type == "userActionRequired";
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

Obtainer::Obtainer(store::Database& database, const Authorities& authorities,
                   acme::Http01Presenter& presenter, events::Feed& feed, Clock& clock, Fuse fuse,
                   model::CertificatePolicy defaults, NextTry next_try, CaaCheck caa,
                   const Ledger& ledger)
    : database_(database),
      authorities_(authorities),
      presenter_(presenter),
      feed_(feed),
      clock_(clock),
      fuse_(fuse),
      defaults_(std::move(defaults)),
      next_try_(std::move(next_try)),
      caa_(std::move(caa)),
      ledger_(ledger) {}

ObtainResult Obtainer::Obtain(const ObtainRequest& request, const model::ProgressSink& progress,
                              std::stop_token stop) {
  RefuseWildcards(request.identifiers);
  const std::string name_set = model::NameSetKey(request.identifiers);
  const std::optional<store::HeldCertificate> held = database_.Read(
      [&](store::Session& session) { return store::FindByNameSet(session, name_set); });
  if (held && !NeedsWork(*held, request, clock_.Now())) return {*held, false, 0};
  try {
    return ObtainSomewhere(request, held, progress, stop);
  } catch (...) {
    throw Error(RecordFailure(request, CurrentFailure()));
  }
}

ObtainResult Obtainer::ObtainSomewhere(const ObtainRequest& request,
                                       const std::optional<store::HeldCertificate>& held,
                                       const model::ProgressSink& progress, std::stop_token stop) {
  std::optional<Failure> failure;
  for (const Authority* authority : Candidates(request)) {
    if (failure && !MayTurnTo(*authority, request, held, *failure, progress, stop)) continue;
    try {
      return ObtainFrom(*authority, request, held, progress, stop);
    } catch (const Error& error) {
      failure = failure ? Together(*failure, *authority, error.failure()) : error.failure();
      // What may be a certificate by now is not left for another CA.
      if (!MayGoElsewhere(error.failure()) || FinalizedLately(OpenOrders(request))) break;
    }
  }
  throw Error(*failure);
}

std::vector<OrderRecord> Obtainer::OpenOrders(const ObtainRequest& request) {
  return database_.Read([&](store::Session& session) -> std::vector<OrderRecord> {
    const auto held = store::FindByNameSet(session, model::NameSetKey(request.identifiers));
    if (!held) return {};
    return store::FindOpenOrders(session, held->certificate.id);
  });
}

const Authority* Obtainer::FinalizedLately(const std::vector<OrderRecord>& open) const {
  for (const OrderRecord& order : open) {
    const Authority* authority = authorities_.Find(order.directory);
    const bool late = clock_.Now() - order.created_at >= kDay;
    if (authority != nullptr && IsFinalized(order) && !late) return authority;
  }
  return nullptr;
}

// An order that is under way is carried on first, wherever it is.
std::vector<const Authority*> Obtainer::Candidates(const ObtainRequest& request) {
  const std::vector<OrderRecord> open = OpenOrders(request);
  if (const Authority* finalized = FinalizedLately(open)) return {finalized};
  std::vector<const Authority*> candidates;
  for (const OrderRecord& order : open) {
    const Authority* authority = authorities_.Find(order.directory);
    if (authority != nullptr) candidates.push_back(authority);
  }
  for (const Authority* authority : authorities_.all()) {
    const bool listed = std::any_of(
        candidates.begin(), candidates.end(),
        [&](const Authority* other) { return other->directory() == authority->directory(); });
    if (!listed) candidates.push_back(authority);
  }
  return candidates;
}

bool Obtainer::WaitsRather(const Authority& next, const ObtainRequest& request,
                           const std::optional<store::HeldCertificate>& held,
                           const Failure& failure) {
  if (!held || !HasPatience(*held, request, failure, clock_.Now())) return false;
  const std::vector<OrderRecord> open = OpenOrders(request);
  const bool has_order = std::any_of(open.begin(), open.end(), [&](const OrderRecord& order) {
    return order.directory == next.directory();
  });
  return next.directory() != authorities_.Primary().directory() && !has_order;
}

bool Obtainer::MayTurnTo(const Authority& authority, const ObtainRequest& request,
                         const std::optional<store::HeldCertificate>& held, Failure& failure,
                         const model::ProgressSink& progress, std::stop_token stop) {
  if (WaitsRather(authority, request, held, failure)) return false;
  const auto say = [&](const std::string& text) {
    log::Warning(Cat(model::NameSetKey(request.identifiers), ": ", text));
    if (progress) progress({"fallback", text, 0});
  };
  try {
    std::optional<std::string> forbidden;
    if (caa_) {
      const auto account = authority.accounts.Find();
      forbidden = caa_(request.identifiers, authority.client.GetDirectory(stop).caa_identities,
                       account ? account->url : "", stop);
    }
    if (!forbidden) {
      say(Cat(failure.detail, "; turning to ", authority.directory()));
      return true;
    }
    say(Cat("not turning to ", authority.directory(), ": ", *forbidden));
    failure.detail += Cat("; ", authority.directory(), " may not issue: ", *forbidden);
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) throw;
    failure = Together(failure, authority, error.failure());
  }
  return false;
}

ObtainResult Obtainer::ObtainFrom(const Authority& authority, const ObtainRequest& request,
                                  const std::optional<store::HeldCertificate>& held,
                                  const model::ProgressSink& progress, std::stop_token stop) {
  // I4 comes before the CA is asked; and nothing is written down, nor counted, for a CA that cannot be
  // asked, or by a clock that is wrong.
  if (!request.force && OpenOrders(request).empty()) {
    database_.Read([&](store::Session& session) {
      CheckFuse(session, fuse_, request.identifiers, clock_.Now());
    });
  }
  acme::WithRetries(
      clock_, stop,
      [&] {
        authority.client.GetDirectory(stop);
        authority.client.CheckClock(stop);
      },
      [&](const Failure& failure) {
        if (progress) progress({"retry", failure.detail + "; trying again", 0});
      });
  // Before it is written down what is wanted: a wrong word of today is not asked for next time.
  const model::CertificatePolicy policy =
      request.wish.Over(held ? held->certificate.policy : defaults_);
  CheckProfile(authority.client.GetDirectory(stop), authority.profile.value_or(policy.profile));
  Work work = TakeUp(authority, request, held);
  CertificateVersion version;
  try {
    version = RunOrder(authority, work.order, progress, stop);
  } catch (const Error&) {
    // An order left behind by a dead process may have run out meanwhile, or the CA came for a token
    // while nobody answered. That says nothing of a new one.
    // A certificate that came and is not what was asked for says a lot: it does not lead to another.
    const bool refused = work.order.failure && work.order.failure->code == FailureCode::kRefused;
    if (!work.carried_on || work.order.state != OrderState::kFailed || !refused) throw;
    work = TakeUp(authority, request, held);
    version = RunOrder(authority, work.order, progress, stop);
  }
  return Activate(work.order, request, std::move(version), held && held->current);
}

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

CertificateVersion Obtainer::RunOrder(const Authority& authority, OrderRecord& order,
                                      const model::ProgressSink& progress, std::stop_token stop) {
  OrderState reached = order.state;
  bool replaces = !order.replaces.empty();
  const auto save = [&](const OrderRecord& record) {
    if (record.state != OrderState::kFailed) reached = record.state;
    database_.Write([&](store::Session& session) {
      if (std::exchange(replaces, !record.replaces.empty()) && !replaces) {
        const auto held = store::FindById(session, order.certificate_id);
        ledger_.DropReplaces(session, order, held ? held->current : std::nullopt, clock_.Now());
      }
      OrderRecord stamped = record;
      stamped.updated_at = clock_.Now();
      store::SaveOrder(session, stamped);
    });
  };
  try {
    const auto key_held = authority.accounts.HoldKey();
    const acme::Signer signer = authority.accounts.Ensure(progress, stop);
    order.attempts = 0;  // of another run
    acme::OrderFlow flow(authority.client, signer, presenter_, clock_, save, progress);
    while (true) {
      acme::Outcome outcome = flow.Step(order, stop);
      if (auto* done = std::get_if<acme::Done>(&outcome)) return std::move(done->version);
      if (const auto* failed = std::get_if<acme::Failed>(&outcome)) {
        const Failure& failure = failed->failure;
        throw Error(IsOfTheAccount(failure) ? authority.accounts.About(failure) : failure);
      }
      if (!flow.Pause(std::get<acme::Wait>(outcome), stop)) {
        throw Error(FailureCode::kCancelled, "stopped while the order was under way",
                    "the order is kept: the next run carries it on");
      }
    }
  } catch (...) {
    const Failure failure = CurrentFailure();
    order.leftover = order.state == OrderState::kFailed && !order.authorizations.empty();
    // The disk may be what failed: the first failure is the one to tell.
    try {
      if (failure.code != FailureCode::kCancelled) SaveFailed(order, failure, reached);
    } catch (const Error& error) {
      log::Error(Cat("the order could not be written down: ", error.what()));
    }
    throw Error(failure);
  }
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
      const AfterFailure after = next_try_(failure, held->certificate.failures + 1);
      failure.retry_at = after.try_at;
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

std::optional<model::RenewalWindow> Obtainer::AskWindow(const CertificateVersion& version,
                                                        std::stop_token stop) {
  const Authority* authority = authorities_.Find(version.ca);
  if (authority == nullptr || version.ari_id.empty()) return std::nullopt;
  return authority->client.GetRenewalWindow(version.ari_id, stop);
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

bool Obtainer::HasWork(const ObtainRequest& request) {
  return database_.Read([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, model::NameSetKey(request.identifiers));
    return !held || NeedsWork(*held, request, clock_.Now());
  });
}

}  // namespace certwright::issue

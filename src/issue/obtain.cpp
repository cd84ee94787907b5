#include "certwright/issue/obtain.h"

#include <algorithm>
#include <variant>

#include "certwright/acme/order_flow.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/key.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"

namespace certwright::issue {

using model::CertificateVersion;
using model::ManagedCertificate;
using model::OrderRecord;
using model::OrderState;

namespace {

constexpr UnixSeconds kDay = 24 * 3600;

bool IsValidNow(const std::optional<CertificateVersion>& version, UnixSeconds now) {
  return version && version->not_before <= now && now < version->not_after;
}

// HTTP-01 cannot prove a wildcard (RFC 8555 section 8.3 with 7.1.3): said before the CA is asked.
void RefuseWildcards(const std::vector<model::Identifier>& identifiers) {
  for (const model::Identifier& identifier : identifiers) {
    if (!identifier.value.starts_with("*.")) continue;
    Failure failure;
    failure.code = FailureCode::kInput;
    failure.detail = Cat(identifier.value, ": a wildcard cannot be proved by HTTP-01");
    failure.advice = "name the hosts one by one";
    failure.identifiers = {identifier.value};
    throw Error(std::move(failure));
  }
}

bool NeedsWork(const store::HeldCertificate& held, const ObtainRequest& request, UnixSeconds now) {
  const model::CertificatePolicy& policy = held.certificate.policy;
  return request.force || request.renew || !IsValidNow(held.current, now) || request.wish.Over(policy) != policy;
}

// What the CA says of the account (RFC 8555 section 6.7), whatever it was asked for.
bool IsOfTheAccount(const Failure& failure) {
  return failure.acme_type == "accountDoesNotExist" || failure.acme_type == "userActionRequired";
}

void GiveUp(store::Session& session, OrderRecord& order, std::string why) {
  order.state = OrderState::kFailed;
  order.failure = Failure{};
  order.failure->code = FailureCode::kCancelled;
  order.failure->detail = std::move(why);
  store::SaveOrder(session, order);
}

// Throws where one more order for this set would be too many (I4).
void CheckFuse(store::Session& session, const Fuse& fuse, const ManagedCertificate& certificate,
               UnixSeconds now) {
  const UnixSeconds since = now - fuse.window + 1;  // an order counts for the length of the window
  const int ordered = store::CountOrdersSince(session, certificate.id, since);
  if (ordered < fuse.orders_per_name_set) return;
  Failure failure;
  failure.code = FailureCode::kFuse;
  failure.identifiers = model::Names(certificate.names);
  failure.detail = Cat("the fuse holds: ", ordered, " orders for exactly these names within ",
                       fuse.window / 3600, " hours");
  // The next place is free when the oldest of the last N leaves the window.
  failure.retry_at =
      store::TimeOfOrder(session, certificate.id, fuse.orders_per_name_set) + fuse.window;
  failure.advice = Cat("find out why so many were needed; --force orders all the same, and from ",
                       FormatUtc(failure.retry_at), " on it goes without");
  throw Error(std::move(failure));
}

}  // namespace

void RememberName(store::Session& session, const store::NameRequest& asked, UnixSeconds now) {
  const auto standing = store::FindNameRequest(session, asked.owner);
  const bool later = standing && standing->created_at > asked.created_at;
  // A time to come was read from a clock that was wrong.
  if (later && standing->created_at <= now) return;
  store::SaveNameRequest(session, asked);
}

Obtainer::Obtainer(store::Database& database, acme::Client& client, AccountKeeper& accounts,
                   acme::Http01Presenter& presenter, events::Feed& feed, Clock& clock, Fuse fuse,
                   model::CertificatePolicy defaults, NextTry next_try)
    : database_(database),
      client_(client),
      accounts_(accounts),
      presenter_(presenter),
      feed_(feed),
      clock_(clock),
      fuse_(fuse),
      defaults_(std::move(defaults)),
      next_try_(std::move(next_try)) {}

ObtainResult Obtainer::Obtain(const ObtainRequest& request, const model::ProgressSink& progress,
                              std::stop_token stop) {
  RefuseWildcards(request.identifiers);
  const std::string name_set = model::NameSetKey(request.identifiers);
  const std::optional<store::HeldCertificate> held = database_.Read(
      [&](store::Session& session) { return store::FindByNameSet(session, name_set); });
  if (held && !NeedsWork(*held, request, clock_.Now())) return {*held, false, 0};

  Work work;
  try {
    work = TakeUp(request, held);
  } catch (const Error& error) {
    if (!held || error.failure().code != FailureCode::kFuse) throw;
    throw Error(RecordFailure(held->certificate.id, nullptr, error.failure()));
  }
  CertificateVersion version;
  try {
    version = RunOrder(work.order, progress, stop);
  } catch (const Error&) {
    // An order left behind by a dead process may have run out meanwhile, or the CA came for a token
    // while nobody answered. That says nothing of a new one.
    // A certificate that came and is not what was asked for says a lot: it does not lead to another.
    const bool refused = work.order.failure && work.order.failure->code == FailureCode::kRefused;
    if (!work.carried_on || work.order.state != OrderState::kFailed || !refused) throw;
    work = TakeUp(request, held);
    version = RunOrder(work.order, progress, stop);
  }
  return Activate(work.order, request, std::move(version), held && held->current);
}

Obtainer::Work Obtainer::TakeUp(const ObtainRequest& request,
                                const std::optional<store::HeldCertificate>& held) {
  const model::CertificatePolicy before = held ? held->certificate.policy : defaults_;
  const model::CertificatePolicy policy = request.wish.Over(before);
  const UnixSeconds now = clock_.Now();
  ManagedCertificate wanted;
  wanted.name_set = model::NameSetKey(request.identifiers);
  wanted.names = request.identifiers;
  wanted.policy = policy;
  wanted.owner = request.owner;
  OrderRecord order;
  order.directory = client_.directory_url();
  order.identifiers = request.identifiers;
  order.profile = policy.profile;
  order.preferred_chain = policy.preferred_chain;
  // RFC 9773 section 5. The CA that did not issue it knows nothing of it.
  if (held && held->current && held->current->ca == order.directory) {
    order.replaces = held->current->ari_id;
  }
  order.created_at = order.updated_at = now;
  // Before the transaction: an RSA key takes seconds.
  const bool same_key = policy.reuse_key && policy.key_type == before.key_type && held;
  order.key_pem = same_key && held->current
                      ? held->current->key_pem
                      : crypto::PrivateKey::Generate(policy.key_type).ToPkcs8Pem();
  return database_.Write([&](store::Session& session) -> Work {
    const ManagedCertificate certificate = store::EnsureManaged(session, wanted, now);
    if (auto open = store::FindOpenOrder(session, certificate.id)) {
      const bool same_ca = open->directory == order.directory;
      if (same_ca && policy == before) return {std::move(*open), true};
      GiveUp(session, *open, same_ca ? "other settings were asked for" : "the CA was changed");
    }
    if (!request.force) CheckFuse(session, fuse_, certificate, now);
    order.certificate_id = certificate.id;
    order.id = store::InsertOrder(session, order);
    return {std::move(order), false};
  });
}

CertificateVersion Obtainer::RunOrder(OrderRecord& order, const model::ProgressSink& progress,
                                      std::stop_token stop) {
  try {
    const acme::Signer signer = accounts_.Ensure(progress, stop);
    const auto save = [&](const OrderRecord& record) {
      OrderRecord stamped = record;
      stamped.updated_at = clock_.Now();
      database_.Write([&](store::Session& session) { store::SaveOrder(session, stamped); });
    };
    order.attempts = 0;  // of another run
    acme::OrderFlow flow(client_, signer, presenter_, clock_, save, progress);
    while (true) {
      acme::Outcome outcome = flow.Step(order, stop);
      if (auto* done = std::get_if<acme::Done>(&outcome)) return std::move(done->version);
      if (const auto* failed = std::get_if<acme::Failed>(&outcome)) {
        const Failure& failure = failed->failure;
        throw Error(IsOfTheAccount(failure) ? accounts_.About(failure) : failure);
      }
      if (!flow.Pause(std::get<acme::Wait>(outcome), stop)) {
        throw Error(FailureCode::kCancelled, "stopped while the order was under way",
                    "the order is kept: the next run carries it on");
      }
    }
  } catch (...) {
    throw Error(RecordFailure(order.certificate_id, &order, CurrentFailure()));
  }
}

Failure Obtainer::RecordFailure(std::int64_t certificate_id, const OrderRecord* order,
                                Failure failure) {
  if (failure.code == FailureCode::kCancelled) return failure;  // nobody's
  try {
    database_.Write([&](store::Session& session) {
      if (order != nullptr) store::SaveOrder(session, *order);
      const auto held = store::FindById(session, certificate_id);
      if (!held) return;
      failure.retry_at = next_try_(failure, held->certificate.failures + 1);
      store::RecordFailure(session, certificate_id, failure, failure.retry_at, clock_.Now());
    });
  } catch (const Error& error) {
    // The disk may be what failed: the first failure is the one to tell.
    log::Error(Cat("the failure could not be written down: ", error.what()));
  }
  return failure;
}

std::optional<model::RenewalWindow> Obtainer::AskWindow(const CertificateVersion& version,
                                                        std::stop_token stop) {
  if (version.ca != client_.directory_url() || version.ari_id.empty()) return std::nullopt;
  return client_.GetRenewalWindow(version.ari_id, stop);
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
  database_.Write([&](store::Session& session) {
    store::AddCurrentVersion(session, version, clock_.Now(), clock_.Now());
    store::SaveOrder(session, order);
    result.event_seq = store::AppendEvent(session, event);
    result.held = *store::FindById(session, order.certificate_id);
    const ManagedCertificate& certificate = result.held.certificate;
    // Remembered once it was obtained, also when nobody waits any more. A renewal is not asked for:
    // the module may want another name by now, or none.
    const UnixSeconds asked_at =
        request.asked_at > 0 || had_version ? request.asked_at : certificate.created_at;
    if (!certificate.owner.empty() && asked_at > 0) {
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

std::vector<std::string> Obtainer::DryRun(const ObtainRequest& request, std::stop_token stop) {
  RefuseWildcards(request.identifiers);
  const std::string name_set = model::NameSetKey(request.identifiers);
  std::vector<std::string> report;
  model::CertificatePolicy policy = request.wish.Over(defaults_);
  bool carried_on = false;
  database_.Read([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, name_set);
    if (!held) return;
    policy = request.wish.Over(held->certificate.policy);
    if (!NeedsWork(*held, request, clock_.Now())) {
      report.push_back(Cat("already held and valid until ", FormatUtc(held->current->not_after),
                           ": nothing would be ordered"));
      return;
    }
    const auto open = store::FindOpenOrder(session, held->certificate.id);
    carried_on = open && open->directory == client_.directory_url() &&
                 policy == held->certificate.policy;
    if (!carried_on && !request.force) {
      CheckFuse(session, fuse_, held->certificate, clock_.Now());
    }
  });
  if (!report.empty() && report.front().starts_with("already")) return report;
  const acme::Directory directory = client_.GetDirectory(stop);
  report.push_back(Cat("the CA answers: ", client_.directory_url()));
  if (!policy.profile.empty() && !directory.profiles.empty() &&
      std::find(directory.profiles.begin(), directory.profiles.end(), policy.profile) ==
          directory.profiles.end()) {
    throw Error(FailureCode::kInput, Cat("the CA has no profile '", policy.profile, "'"),
                Cat("its profiles are: ", Join(directory.profiles, ", ")));
  }
  const std::optional<model::Account> account = accounts_.Find();
  report.push_back(account && !account->url.empty() ? Cat("the account is ", account->url)
                                                    : "an account would be registered first");
  report.push_back(carried_on
                       ? Cat("the order that is under way would be carried on for ", name_set)
                       : Cat("one order would be made for ", name_set));
  return report;
}

std::int64_t Remove(store::Database& database, events::Feed& feed, Clock& clock,
                    std::int64_t certificate_id) {
  const std::int64_t seq = database.Write([&](store::Session& session) -> std::int64_t {
    const auto held = store::FindById(session, certificate_id);
    if (!held || !store::DeleteCertificate(session, certificate_id)) return 0;
    if (!held->current) return 0;  // nobody was ever told of it
    model::Event event;
    event.name = "certificate-changed";
    event.reason = "deleted";
    event.names = model::Names(held->current->names);
    event.certificate_id = certificate_id;
    event.created_at = clock.Now();
    return store::AppendEvent(session, event);
  });
  if (seq > 0) feed.Notify();
  return seq;
}

void EnsureSelfSigned(store::Database& database, Clock& clock, const std::string& host_name) {
  constexpr UnixSeconds kLifetime = 3650 * kDay;
  const UnixSeconds now = clock.Now();
  const auto held =
      database.Read([](store::Session& session) { return store::FindSelfSigned(session); });
  if (held && held->not_after > now + 30 * kDay) return;
  std::vector<model::Identifier> names;
  try {
    names = {model::ParseIdentifier(host_name)};
  } catch (const Error&) {
    names = {model::ParseIdentifier("certwright.localhost")};  // a host without a full name
  }
  // Backdated by a day: a peer whose clock is a little behind still takes it.
  const CertificateVersion pair = crypto::SelfSigned(names, now - kDay, now + kLifetime);
  database.Write([&](store::Session& session) { store::SaveSelfSigned(session, pair); });
}

}  // namespace certwright::issue

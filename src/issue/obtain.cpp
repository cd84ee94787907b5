#include "certwright/issue/obtain.h"

#include <utility>
#include <variant>

#include "certwright/acme/order_flow.h"
#include "certwright/acme/retry.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/orders.h"
#include "decide.h"
#include "fuse.h"

namespace certwright::issue {

using model::CertificateVersion;
using model::OrderRecord;
using model::OrderState;

namespace {

// What the CA says of the account (RFC 8555 section 6.7), whatever it was asked for.
bool IsOfTheAccount(const Failure& failure) {
  return failure.acme_type == "accountDoesNotExist" || failure.acme_type == "userActionRequired";
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

std::optional<model::RenewalWindow> Obtainer::AskWindow(const CertificateVersion& version,
                                                        std::stop_token stop) {
  const Authority* authority = authorities_.Find(version.ca);
  if (authority == nullptr || version.ari_id.empty()) return std::nullopt;
  return authority->client.GetRenewalWindow(version.ari_id, stop);
}

bool Obtainer::HasWork(const ObtainRequest& request) {
  return database_.Read([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, model::NameSetKey(request.identifiers));
    return !held || NeedsWork(*held, request, clock_.Now());
  });
}

}  // namespace certwright::issue

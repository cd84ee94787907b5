#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/orders.h"
#include "decide.h"
#include "fuse.h"

namespace certwright::issue {

namespace {

}  // namespace

// Looks at the CAs as Obtain would: at the next where one does not answer.
const Authority& Obtainer::FirstThatAnswers(const ObtainRequest& request,
                                            const std::optional<store::HeldCertificate>& held,
                                            std::vector<std::string>& report,
                                            std::stop_token stop) {
  std::optional<Failure> failure;
  for (const Authority* authority : Candidates(request)) {
    if (failure && !MayTurnTo(*authority, request, held, *failure, nullptr, stop)) continue;
    try {
      authority->client.GetDirectory(stop);
      report.push_back(Cat("the CA answers: ", authority->directory()));
      CheckLedger(*authority, request, held);
      return *authority;
    } catch (const Error& error) {
      const bool answered = error.failure().code == FailureCode::kRateLimited;
      report.push_back(Cat(answered ? "" : "the CA does not answer: ", error.what()));
      failure = failure ? Together(*failure, *authority, error.failure()) : error.failure();
      if (!MayGoElsewhere(error.failure())) break;
    }
  }
  throw Error(*failure);
}

void Obtainer::CheckLedger(const Authority& authority, const ObtainRequest& request,
                           const std::optional<store::HeldCertificate>& held) {
  if (request.force) return;
  database_.Read([&](store::Session& session) {
    if (held) {
      for (const auto& open : store::FindOpenOrders(session, held->certificate.id)) {
        if (open.directory == authority.directory() && !open.url.empty()) return;  // counted
      }
    }
    ledger_.Check(session,
                  AskedFor(authority.directory(), request.identifiers,
                           held ? held->current : std::nullopt),
                  clock_.Now());
  });
}

std::vector<std::string> Obtainer::DryRun(const ObtainRequest& request, std::stop_token stop) {
  RefuseWildcards(request.identifiers);
  const std::string name_set = model::NameSetKey(request.identifiers);
  const auto held = database_.Read(
      [&](store::Session& session) { return store::FindByNameSet(session, name_set); });
  if (held && !NeedsWork(*held, request, clock_.Now())) {
    return {Cat("already held and valid until ", FormatUtc(held->current->not_after),
                ": nothing would be ordered")};
  }
  const model::CertificatePolicy before = held ? held->certificate.policy : defaults_;
  const model::CertificatePolicy policy = request.wish.Over(before);
  std::vector<std::string> report;
  const Authority& authority = FirstThatAnswers(request, held, report, stop);
  bool carried_on = false;
  database_.Read([&](store::Session& session) {
    if (held) {
      for (const model::OrderRecord& open : store::FindOpenOrders(session, held->certificate.id)) {
        carried_on = carried_on || (open.directory == authority.directory() && policy == before);
      }
    }
    if (!carried_on && !request.force) {
      CheckFuse(session, fuse_, request.identifiers, clock_.Now());
    }
  });
  CheckProfile(authority.client.GetDirectory(stop), authority.profile.value_or(policy.profile));
  const std::optional<model::Account> account = authority.accounts.Find();
  report.push_back(account && !account->url.empty() ? Cat("the account is ", account->url)
                                                    : "an account would be registered first");
  report.push_back(carried_on
                       ? Cat("the order that is under way would be carried on for ", name_set)
                       : Cat("one order would be made for ", name_set));
  return report;
}

}  // namespace certwright::issue

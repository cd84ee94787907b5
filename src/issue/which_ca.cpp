// Obtainer: which of the CAs is asked, and when the next one is turned to.
#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/obtain.h"
#include "certwright/store/orders.h"
#include "decide.h"

namespace certwright::issue {

using model::OrderRecord;

namespace {

constexpr UnixSeconds kDay = 24 * 3600;

}  // namespace

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

}  // namespace certwright::issue

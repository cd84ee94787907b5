#include "certwright/issue/chores.h"

#include "certwright/acme/authorization.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/store/orders.h"

namespace certwright::issue {

namespace {

constexpr Millis kPause{60'000};
constexpr Millis kSoon{5'000};         // a replacement is on its way
constexpr Millis kRest{10 * 60'000};  // after a failure
constexpr int kOrdersAtOnce = 20;
// By then a pending authorization is over by itself (a week at most at the CAs that are known).
constexpr UnixSeconds kWorthwhile = 7 * 24 * 3600;

}  // namespace

Chores::Chores(store::Database& database, const Authorities& authorities, Revoker& revoker,
               model::CertificatePolicy defaults, Clock& clock)
    : database_(database),
      authorities_(authorities),
      revoker_(revoker),
      defaults_(std::move(defaults)),
      clock_(clock) {}

Chores::~Chores() = default;

// RFC 8555 section 7.1.3: a CA may give one pending authorization to several orders.
std::set<std::string> Chores::OpenAuthorizations() {
  const auto open = database_.Read(store::ListOpenOrders);
  std::set<std::string> urls;
  for (const model::OrderRecord& order : open) {
    for (const auto& authorization : order.authorizations) urls.insert(authorization.url);
  }
  return urls;
}

// False where a failure ended it.
bool Chores::GiveUpAuthorizations(std::stop_token stop) {
  const auto orders = database_.Read(
      [](store::Session& session) { return store::ListLeftovers(session, kOrdersAtOnce); });
  for (const model::OrderRecord& order : orders) {
    const Authority* authority = authorities_.Find(order.directory);
    const bool old = order.updated_at + kWorthwhile < clock_.Now();
    if (authority != nullptr && !old) {
      try {
        const auto key_held = authority->accounts.HoldKey();
        const acme::Signer signer = authority->accounts.Ensure(nullptr, stop);
        const std::set<std::string> shared = OpenAuthorizations();
        for (const model::AuthorizationRecord& authorization : order.authorizations) {
          if (shared.contains(authorization.url)) continue;
          acme::DeactivatePending(authority->client, signer, authorization.url, stop);
        }
      } catch (const Error& error) {
        if (error.failure().code == FailureCode::kCancelled || error.failure().transient) {
          return false;
        }
        log::Debug(Cat("authorizations of order ", order.id,
                       " are left as they are: ", error.failure().detail));
      }
    }
    database_.Write([&](store::Session& session) { store::ForgetLeftover(session, order.id); });
  }
  return true;
}

// Gives how long to wait before the next one.
Millis Chores::Attempt(std::stop_token stop) {
  const std::unique_lock alone(one_at_a_time_, std::try_to_lock);
  if (!alone) return kPause;  // somebody is at it
  try {
    WantWhatIsMissing(database_, defaults_, clock_.Now());
    const bool revoked = !revoker_.CarryOn(stop);
    if (!GiveUpAuthorizations(stop) || !revoked) return kRest;
    return revoker_.IsWaiting() ? kSoon : kPause;
  } catch (...) {
    log::Warning(Cat("what is left to do: ", CurrentFailure().detail));
  }
  return kRest;
}

void Chores::RunOnce(std::stop_token stop) { Attempt(stop); }

void Chores::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    while (!stop.stop_requested()) clock_.Sleep(Attempt(stop), stop);
  });
}

}  // namespace certwright::issue

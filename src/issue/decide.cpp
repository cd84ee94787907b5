#include "decide.h"

#include <algorithm>

#include "certwright/base/text.h"

namespace certwright::issue {

using model::CertificateVersion;
using model::OrderState;

bool IsValidNow(const std::optional<CertificateVersion>& version, UnixSeconds now) {
  return version && model::IsValidAt(*version, now);
}

namespace {

// Planned for another version than is current by now.
bool IsOvertaken(const store::HeldCertificate& held, const ObtainRequest& request) {
  const std::int64_t current = held.current ? held.current->id : 0;
  return request.planned_for && current != *request.planned_for;
}

}  // namespace

bool NeedsWork(const store::HeldCertificate& held, const ObtainRequest& request, UnixSeconds now) {
  const model::CertificatePolicy& policy = held.certificate.policy;
  const bool renews = request.renew && !IsOvertaken(held, request);
  return request.force || renews || !IsValidNow(held.current, now) ||
         request.wish.Over(policy) != policy;
}

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

void CheckProfile(const acme::Directory& directory, const std::string& profile) {
  const std::vector<std::string>& known = directory.profiles;
  if (profile.empty() || known.empty()) return;
  if (std::find(known.begin(), known.end(), profile) != known.end()) return;
  Failure failure;
  failure.code = FailureCode::kRefused;
  failure.acme_type = "invalidProfile";
  failure.detail = Cat("the CA has no profile '", profile, "'");
  failure.advice = Cat("its profiles are: ", Join(known, ", "));
  throw Error(std::move(failure));
}

bool IsFinalized(const model::OrderRecord& order) {
  return order.state == OrderState::kProcessing || order.state == OrderState::kIssued;
}

bool HasPatience(const store::HeldCertificate& held, const ObtainRequest& request,
                 const Failure& failure, UnixSeconds now) {
  constexpr int kFailures = 2;
  if (!IsValidNow(held.current, now) || !request.renew || request.force) return false;
  const UnixSeconds lifetime = held.current->not_after - held.current->not_before;
  const UnixSeconds next_try = std::max(now, failure.retry_at);
  return held.certificate.failures < kFailures &&
         held.current->not_after - next_try > lifetime / 6;
}

Failure Together(Failure first, const Authority& authority, const Failure& next) {
  if (next.code == FailureCode::kCancelled) return next;
  const std::string detail = Cat(first.detail, "; ", authority.directory(), ": ", next.detail);
  // The fuse and spent limits say when a new order may be made; an order that waits at the other CA,
  // or another CA that is down, may be back long before that.
  const bool first_is_sooner = next.code == FailureCode::kFuse ||
                               (MayGoElsewhere(next) && first.code != FailureCode::kRateLimited);
  Failure both = first_is_sooner ? std::move(first) : next;
  both.detail = detail;
  return both;
}

}  // namespace certwright::issue

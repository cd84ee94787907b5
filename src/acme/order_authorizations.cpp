#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "certwright/acme/order_flow.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"
#include "order_words.h"

namespace certwright::acme {

using model::AuthorizationRecord;
using model::OrderRecord;
using model::OrderState;

namespace {

constexpr std::size_t kSideBySide = 8;  // connections of one order

// Runs `job` for each index side by side; the first failure (by index) is thrown when all have
// ended.
void ForEach(std::size_t count, const std::function<void(std::size_t)>& job) {
  std::vector<std::optional<Failure>> failures(count);
  RunSideBySide(count, kSideBySide, [&](std::size_t index) {
    try {
      job(index);
    } catch (...) {
      failures[index] = CurrentFailure();
    }
  });
  for (const std::optional<Failure>& failure : failures) {
    if (failure) throw Error(*failure);
  }
}

// RFC 8555 section 7.1.4: the authorization of a wildcard names the domain without "*.".
bool Answers(const Authorization& authorization, const model::Identifier& identifier) {
  if (identifier.value.starts_with("*.")) {
    return authorization.wildcard && identifier.type == authorization.identifier.type &&
           identifier.value.substr(2) == authorization.identifier.value;
  }
  return !authorization.wildcard && authorization.identifier == identifier;
}

}  // namespace

// Section 7.5: reads what is not known yet of the authorizations, side by side.
void OrderFlow::ReadAuthorizations(OrderRecord& order, std::stop_token stop) {
  std::vector<Authorization> seen(order.authorizations.size());
  ForEach(seen.size(), [&](std::size_t i) {
    seen[i] = ParseAuthorization(
        client_.PostAsGet(signer_, order.authorizations[i].url, stop).Json(), client_.policy());
  });
  std::set<model::Identifier> answered;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    AuthorizationRecord& record = order.authorizations[i];
    const auto asked = std::find_if(
        order.identifiers.begin(), order.identifiers.end(),
        [&](const model::Identifier& identifier) { return Answers(seen[i], identifier); });
    if (asked == order.identifiers.end()) {
      Refuse(Cat("an authorization for another name: ", Printable(seen[i].identifier.value, 100)));
    }
    if (!answered.insert(*asked).second) Refuse(Cat("two authorizations for ", asked->value));
    record.identifier = *asked;
    record.challenge_url.clear();
    record.token.clear();
    record.started = false;
    if (seen[i].status == Status::kValid) continue;
    if (seen[i].status != Status::kPending) {
      Failure failure = seen[i].error.value_or(Failure{});
      failure.code = FailureCode::kRefused;
      failure.detail =
          Cat("the authorization of ", asked->value, " is ", StatusName(seen[i].status),
              failure.detail.empty() ? "" : ": ", failure.detail);
      failure.identifiers = {asked->value};
      throw Error(std::move(failure));
    }
    if (!seen[i].http01) {
      Failure failure;
      failure.code = FailureCode::kRefused;
      failure.detail = Cat("the CA offers no HTTP-01 challenge for ", asked->value, " (it offers ",
                           Join(seen[i].offered, ", "), ")");
      failure.identifiers = {asked->value};
      throw Error(std::move(failure));
    }
    record.challenge_url = seen[i].http01->url;
    record.token = seen[i].http01->token;
    record.started = seen[i].http01->status != Status::kPending;  // by us, before a restart
  }
}

// Section 7.5.1: present all, then start all.
Outcome OrderFlow::StartChallenges(OrderRecord& order, std::stop_token stop) {
  ReadAuthorizations(order, stop);
  std::vector<AuthorizationRecord*> to_start;
  for (AuthorizationRecord& authorization : order.authorizations) {
    if (authorization.token.empty()) continue;
    presenter_.Present(authorization.token,
                       crypto::KeyAuthorization(authorization.token, signer_.key));
    presented_.push_back(authorization.token);
    if (!authorization.started) to_start.push_back(&authorization);
    authorization.started = true;
  }
  Tell("challenge", Cat(Count(order.authorizations.size(), "challenge"), " ready for the CA"), 30);
  order.state = OrderState::kValidating;
  news_ = 0;
  polls_ = 0;
  save_(order);

  // Until every start was answered, the next step looks at the order and the challenges again: one
  // that the CA was never told of would be waited for in vain.
  in_step_with_ca_ = false;
  std::atomic<bool> all_valid{true};
  ForEach(to_start.size(), [&](std::size_t i) {
    const Answer answer = client_.Post(signer_, to_start[i]->challenge_url, "{}", stop);
    const json::Value body = answer.Json();
    // A CA that validates inside this request (step-ca) says so here; what fails shows in the
    // order.
    if (body.String("status") != StatusName(Status::kValid)) all_valid = false;
  });
  in_step_with_ca_ = true;
  if (all_valid) return Wait{};
  return NextPoll(order, std::nullopt);
}

// Section 7.1.6: an order is invalid when one of its authorizations is. Only now they are read.
Failure OrderFlow::ReasonOfInvalid(OrderRecord& order, const Order& seen, std::stop_token stop) {
  std::vector<std::optional<Failure>> reasons(order.authorizations.size());
  RunSideBySide(reasons.size(), kSideBySide, [&](std::size_t i) {
    try {
      const Authorization authorization = ParseAuthorization(
          client_.PostAsGet(signer_, order.authorizations[i].url, stop).Json(), client_.policy());
      if (authorization.status != Status::kInvalid) return;
      reasons[i] = authorization.error.value_or(Failure{});
      // Not held against the order: any text can stand there.
      reasons[i]->identifiers = {Printable(authorization.identifier.value, 260)};
    } catch (...) {
      // The order is lost either way; what cannot be read adds nothing.
    }
  });
  Failure failure = seen.error.value_or(Failure{});
  std::vector<std::string> words;
  for (const std::optional<Failure>& reason : reasons) {
    if (!reason) continue;
    if (words.empty()) {
      failure.acme_type = reason->acme_type;
      failure.advice = reason->advice;
    }
    words.push_back(Cat(reason->identifiers.front(), ": ",
                        reason->detail.empty() ? "no reason given" : reason->detail));
    failure.identifiers.push_back(reason->identifiers.front());
  }
  if (!words.empty()) {
    if (words.size() > 10) words.resize(10);
    failure.detail = Cat("validation failed for ", Join(words, "; "));
  } else if (failure.detail.empty()) {
    failure.detail = "the CA says that the order is invalid, and gives no reason";
  }
  failure.code = FailureCode::kRefused;
  failure.transient = false;
  return failure;
}

}  // namespace certwright::acme

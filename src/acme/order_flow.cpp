#include "certwright/acme/order_flow.h"

#include <algorithm>
#include <set>
#include <utility>

#include "certwright/acme/retry.h"
#include "certwright/base/encoding.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "order_words.h"

namespace certwright::acme {

using model::OrderRecord;
using model::OrderState;

namespace {

json::Value IdentifiersJson(const std::vector<model::Identifier>& identifiers) {
  json::Value list = json::Array{};
  for (const model::Identifier& identifier : identifiers) {
    list.Append(json::Value::Object(
        {{"type", model::TypeName(identifier.type)}, {"value", identifier.value}}));
  }
  return list;
}

// Whether newOrder may have failed for its `replaces` (RFC 9773 section 5). `unauthorized` is what CAs
// say where another account obtained the certificate. A 5xx may: a released test CA answers 500 to
// correct certIDs. A rate limit never, whatever its status: it would be hit
// again, without the exemption. Nor what another resource (newNonce) answered on the way.
bool MayBeForReplaces(const AnswerError& error, const std::string& new_order) {
  const std::string& type = error.failure().acme_type;
  if (error.url() != new_order || error.failure().code == FailureCode::kRateLimited) return false;
  return type == "alreadyReplaced" || type == "malformed" || type == "conflict" ||
         type == "unauthorized" || error.status() == 409 || error.status() >= 500;
}

}  // namespace

OrderFlow::OrderFlow(Client& client, const Signer& signer, Http01Presenter& presenter, Clock& clock,
                     Save save, model::ProgressSink progress)
    : client_(client),
      signer_(signer),
      presenter_(presenter),
      clock_(clock),
      save_(std::move(save)),
      progress_(std::move(progress)) {}

OrderFlow::~OrderFlow() {
  for (const std::string& token : presented_) presenter_.Withdraw(token);
}

void OrderFlow::Tell(std::string step, std::string text, int percent) const {
  if (progress_) progress_({std::move(step), std::move(text), percent});
}

Outcome OrderFlow::Step(OrderRecord& order, std::stop_token stop) {
  const bool looking_back = !in_step_with_ca_ && order.state != OrderState::kCreating;
  try {
    Outcome outcome = Advance(order, stop);
    // A look at the CA after a failed request succeeds again and again: only what gets the order on
    // ends a row of failures.
    if (order.state > furthest_ || (order.state == furthest_ && !looking_back)) order.attempts = 0;
    furthest_ = std::max(furthest_, order.state);
    return outcome;
  } catch (...) {
    return AfterFailure(order, CurrentFailure());
  }
}

Outcome OrderFlow::Advance(OrderRecord& order, std::stop_token stop) {
  // A stored order is looked at before anything is done to it: much may have happened since.
  const bool stored = order.state != OrderState::kCreating && order.state != OrderState::kDone &&
                      order.state != OrderState::kFailed;
  if (stored && !in_step_with_ca_) {
    if (presented_.empty()) Tell("order", "an order was under way: carrying it on", 10);
    return Poll(order, stop);
  }
  switch (order.state) {
    case OrderState::kCreating: return Create(order, stop);
    case OrderState::kPending: return StartChallenges(order, stop);
    case OrderState::kValidating: return Poll(order, stop);
    case OrderState::kReady: return Finalize(order, stop);
    case OrderState::kProcessing: return Poll(order, stop);
    case OrderState::kIssued: return Fetch(order, stop);
    case OrderState::kDone: return Done{Checked(order, order.chain_pem)};
    case OrderState::kFailed: return Failed{order.failure.value_or(Failure{})};
  }
  throw Error(FailureCode::kInternal, "an order in no state");
}

std::size_t OrderFlow::MaxOrderBytes(const OrderRecord& order) const {
  return 64 * 1024 + 4 * 1024 * order.identifiers.size();
}

Order OrderFlow::ReadOrder(const OrderRecord& order, const Answer& answer) const {
  return ParseOrder(answer.Json(), order.identifiers, client_.policy());
}

// RFC 9773 section 5. That the CA knows which certificate is renewed is worth an exemption from
// rate limits, but not the renewal: the same order is asked for once more without it. Saved before,
// so that a process that dies here does not begin with what was refused.
Answer OrderFlow::SendNewOrder(OrderRecord& order, std::stop_token stop) {
  const Directory directory = client_.GetDirectory(stop);
  client_.CheckClock(stop);
  json::Value payload = json::Value::Object({{"identifiers", IdentifiersJson(order.identifiers)}});
  if (!order.profile.empty()) payload.Set("profile", order.profile);
  const auto send = [&](const json::Value& body) {
    return client_.Post(signer_, directory.new_order, json::Write(body), stop,
                        MaxOrderBytes(order));
  };
  if (order.replaces.empty() || directory.renewal_info.empty()) return send(payload);
  try {
    return send(json::Value(payload).Set("replaces", order.replaces));
  } catch (const AnswerError& error) {
    if (!MayBeForReplaces(error, directory.new_order)) throw;
    const std::string text =
        Cat("the order is asked for again without naming the certificate that it replaces: ",
            error.what());
    log::Warning(text);
    Tell("replaces", text, 5);
  }
  order.replaces.clear();
  save_(order);
  return send(payload);
}

// Section 7.4. Between sending this and saving its answer a second order cannot be avoided by
// anybody; everywhere else it is.
Outcome OrderFlow::Create(OrderRecord& order, std::stop_token stop) {
  const Answer answer = SendNewOrder(order, stop);
  const Order seen = ReadOrder(order, answer);
  if (answer.location.empty()) Refuse("an order without its URL (Location)");
  order.url = answer.location;
  order.finalize_url = seen.finalize;
  order.authorizations.clear();
  for (const std::string& url : seen.authorizations)
    order.authorizations.push_back({url, {}, "", "", false});
  in_step_with_ca_ = true;
  Tell("order", Cat("order created for ", Count(order.identifiers.size(), "name")), 10);
  order.state = OrderState::kPending;
  Outcome outcome = Adopt(order, seen, answer.retry_after, stop);
  save_(order);
  return outcome;
}

// What an order seen at the CA means for the record. A status may only go forward.
Outcome OrderFlow::Adopt(OrderRecord& order, const Order& seen, std::optional<Millis> retry_after,
                         std::stop_token stop) {
  const bool first_look = !std::exchange(in_step_with_ca_, true);
  switch (seen.status) {
    case Status::kPending:
      if (order.state == OrderState::kReady || order.state == OrderState::kProcessing ||
          order.state == OrderState::kIssued) {
        Refuse("an order that went back to 'pending'");
      }
      // After a restart the tokens are not presented any more, whatever was started before.
      if (first_look) order.state = OrderState::kPending;
      if (order.state == OrderState::kPending) return Wait{};
      return NextPoll(order, retry_after);
    case Status::kReady:
      if (order.state == OrderState::kIssued) Refuse("an order that went back to 'ready'");
      if (order.state == OrderState::kProcessing && !first_look) {
        return NextPoll(order, retry_after);  // a replica that lags behind
      }
      Tell("validated", "the CA has validated every name", 60);
      order.state = OrderState::kReady;
      return Wait{};
    case Status::kProcessing:
      order.state = OrderState::kProcessing;
      return NextPoll(order, retry_after);
    case Status::kValid:
      order.state = OrderState::kIssued;
      order.certificate_url = seen.certificate;
      Tell("issued", "the CA has issued the certificate", 80);
      return Wait{};
    case Status::kInvalid: throw Error(ReasonOfInvalid(order, seen, stop));
    case Status::kDeactivated:
    case Status::kExpired:
    case Status::kRevoked: break;
  }
  Refuse(Cat("an order with the status '", StatusName(seen.status), "'"));
}

Outcome OrderFlow::Poll(OrderRecord& order, std::stop_token stop) {
  const Answer answer = client_.PostAsGet(signer_, order.url, stop, MaxOrderBytes(order));
  return Adopt(order, ReadOrder(order, answer), answer.retry_after, stop);
}

// Section 7.4: the key was stored with the record before the order was made, so a certificate can
// never come back for a key that is lost.
Outcome OrderFlow::Finalize(OrderRecord& order, std::stop_token stop) {
  const crypto::PrivateKey key = crypto::PrivateKey::FromPem(order.key_pem);
  const std::string csr = crypto::CreateCsr(key, order.identifiers);
  const json::Value payload = json::Value::Object({{"csr", Base64Url(csr)}});
  order.state = OrderState::kProcessing;
  polls_ = 0;
  save_(order);
  Tell("finalize", "certificate requested", 70);
  try {
    const Answer answer =
        client_.Post(signer_, order.finalize_url, json::Write(payload), stop, MaxOrderBytes(order));
    return Adopt(order, ReadOrder(order, answer), answer.retry_after, stop);
  } catch (const Error& error) {
    // The request may have arrived though its answer did not, and orderNotReady may mean "already
    // done" (section 7.4): the order itself says. So the next step looks before it sends again.
    if (!error.failure().transient && error.failure().acme_type != "orderNotReady") throw;
    in_step_with_ca_ = false;
    Failure failure = error.failure();
    failure.transient = true;
    throw Error(std::move(failure));
  }
}

Outcome OrderFlow::AfterFailure(OrderRecord& order, Failure failure) {
  if (failure.identifiers.empty()) failure.identifiers = model::Names(order.identifiers);
  if (failure.code == FailureCode::kCancelled) return Failed{std::move(failure)};
  ++order.attempts;
  if (const std::optional<Millis> pause = StepRetryDelay(failure, order.attempts, clock_.Now())) {
    Tell("retry", Cat(failure.detail, "; trying again"), 0);
    return Wait{*pause, {}, std::move(failure)};
  }
  // Ours (a full disk) and what passes by itself leave the order as it is: the next run carries it
  // on.
  const bool keep =
      failure.transient || failure.code == FailureCode::kDisk ||
      failure.code == FailureCode::kConfig || failure.code == FailureCode::kUntrusted ||
      failure.code == FailureCode::kPermission || failure.code == FailureCode::kInternal;
  if (!keep) {
    order.state = OrderState::kFailed;
    order.failure = failure;
  }
  return Failed{std::move(failure)};
}

}  // namespace certwright::acme

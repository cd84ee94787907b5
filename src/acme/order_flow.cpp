#include "certwright/acme/order_flow.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "certwright/acme/retry.h"
#include "certwright/base/encoding.h"
#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/jws.h"

namespace certwright::acme {

using model::AuthorizationRecord;
using model::OrderRecord;
using model::OrderState;

namespace {

constexpr std::size_t kSideBySide = 8;  // connections of one order
constexpr std::size_t kMaxChainBytes = 1 << 20;
constexpr Millis kQuiet{50};          // after a fetch: the CA looks from several places
constexpr int kMostNews = 10;         // polls for it: anybody may fetch a token that he has seen
constexpr Millis kNoNews{3'000};      // first look where the CA has not come by
constexpr Millis kAfterFinalize{8};  // many CAs sign in milliseconds
constexpr Millis kSoonAfterFinalize{50};
constexpr Millis kFirstPoll{250};
constexpr Millis kLongestPoll{5'000};
constexpr Millis kLongestRetryAfter{60'000};
constexpr Millis kLongestWait{15 * 60'000};  // of one run in one state
constexpr UnixSeconds kRestAfterLongWait = 3600;

[[noreturn]] void Refuse(std::string detail) {
  throw Error(FailureCode::kProtocol, Cat("the CA sent ", detail),
              "this is a fault of the CA, or of something between it and here");
}

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

json::Value IdentifiersJson(const std::vector<model::Identifier>& identifiers) {
  json::Value list = json::Array{};
  for (const model::Identifier& identifier : identifiers) {
    list.Append(json::Value::Object(
        {{"type", model::TypeName(identifier.type)}, {"value", identifier.value}}));
  }
  return list;
}

// RFC 8555 section 7.1.4: the authorization of a wildcard names the domain without "*.".
bool Answers(const Authorization& authorization, const model::Identifier& identifier) {
  if (identifier.value.starts_with("*.")) {
    return authorization.wildcard && identifier.type == authorization.identifier.type &&
           identifier.value.substr(2) == authorization.identifier.value;
  }
  return !authorization.wildcard && authorization.identifier == identifier;
}

// Whether newOrder may have failed for its `replaces` (RFC 9773 section 5). A 5xx may: a released
// test CA answers 500 to correct certIDs. A rate limit never, whatever its status: it would be hit
// again, without the exemption. Nor what another resource (newNonce) answered on the way.
bool MayBeForReplaces(const AnswerError& error, const std::string& new_order) {
  const std::string& type = error.failure().acme_type;
  if (error.url() != new_order || error.failure().code == FailureCode::kRateLimited) return false;
  return type == "alreadyReplaced" || type == "malformed" || type == "conflict" ||
         error.status() == 409 || error.status() >= 500;
}

std::string Count(std::size_t number, std::string_view what) {
  return Cat(number, " ", what, number == 1 ? "" : "s");
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

bool OrderFlow::Pause(const Wait& wait, std::stop_token stop) {
  if (wait.tokens.empty()) return clock_.Sleep(wait.at_most, stop);
  if (presenter_.WaitFetched(wait.tokens, kQuiet, wait.at_most, stop)) {
    if (news_++ == 0) Tell("fetched", "the CA has fetched every challenge", 50);
    polls_ = 0;
  }
  return !stop.stop_requested();
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

// 250 ms growing to 5 s, from the last news on; a Retry-After takes its place, unless it is nought
// or a date gone by: that would be polling without a pause. A fetch by the CA ends each wait for a
// validation.
Wait OrderFlow::NextPoll(const OrderRecord& order, std::optional<Millis> retry_after) {
  const int earlier = polls_++;
  if (waits_for_ != order.state) {
    waits_for_ = order.state;
    waits_since_ = clock_.SteadyNow();
  }
  if (clock_.SteadyNow() - waits_since_ > kLongestWait) {
    Failure failure;
    failure.code = FailureCode::kServer;
    failure.detail = Cat("the CA has not got on with the order for ",
                         std::chrono::duration_cast<std::chrono::minutes>(kLongestWait).count(),
                         " minutes (it is ", model::OrderStateName(order.state), ")");
    failure.advice = "the order is kept: the next run carries it on";
    failure.transient = true;
    failure.retry_at = clock_.Now() + kRestAfterLongWait;
    throw Error(std::move(failure));
  }
  const bool told = retry_after && *retry_after > Millis(0);
  const auto grown = [](int step) {
    return std::min(kLongestPoll, kFirstPoll * (1 << std::clamp(step, 0, 8)));
  };
  Wait wait;
  if (order.state == OrderState::kProcessing) {
    // Finalize was just sent. One early look costs a request; the CA's Retry-After comes after it.
    if (earlier == 0) return Wait{kAfterFinalize, {}, {}};
    wait.at_most = earlier == 1 ? kSoonAfterFinalize : grown(earlier - 2);
  } else {
    wait.at_most = grown(earlier);
    for (const AuthorizationRecord& authorization : order.authorizations) {
      if (authorization.started && news_ < kMostNews) wait.tokens.push_back(authorization.token);
    }
  }
  if (told) wait.at_most = std::min(*retry_after, kLongestRetryAfter);
  // As long as the CA has not come by there is little to look for.
  if (!wait.tokens.empty() && news_ == 0) {
    wait.at_most = std::max(wait.at_most, earlier == 0 || told ? kNoNews : kLongestPoll);
  }
  return wait;
}

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

// A page of a proxy in place of the chain is no reason to lose a certificate that was issued: it is
// asked for again. A chain that is one, but a wrong one, is for CheckedVersion to refuse.
Answer OrderFlow::FetchChain(const std::string& url, std::stop_token stop) {
  Answer answer = client_.PostAsGet(signer_, url, stop, kMaxChainBytes);
  const std::size_t last = answer.text.rfind("-----BEGIN ");
  const bool whole =
      last != std::string::npos && answer.text.find("-----END ", last) != std::string::npos;
  if (!whole) {
    Failure failure;
    failure.code = FailureCode::kProtocol;
    failure.detail = Cat("the CA sent ", Trim(answer.text).empty() ? "nothing" : "something else",
                         " where the certificate's PEM chain is expected");
    failure.advice = "a proxy or a captive portal may stand between this machine and the CA";
    failure.transient = true;
    throw Error(std::move(failure));
  }
  return answer;
}

// Section 7.4.2. Every chain is checked before anything else is read from it. An alternate that
// cannot be had is no reason to be without a certificate.
model::CertificateVersion OrderFlow::ChooseChain(const OrderRecord& order, const Answer& answer,
                                                 std::stop_token stop) {
  const auto preferred = [&](const model::CertificateVersion& version) {
    return crypto::ChainHasIssuer(crypto::InspectChain(version.chain_pem), order.preferred_chain);
  };
  model::CertificateVersion own = Checked(order, answer.text);
  if (order.preferred_chain.empty() || preferred(own)) return own;
  for (const std::string& url : answer.alternates) {
    try {
      model::CertificateVersion other = Checked(order, FetchChain(url, stop).text);
      if (preferred(other)) return other;
    } catch (const Error& error) {
      const Failure& failure = error.failure();
      if (failure.code == FailureCode::kCancelled) throw;
      // The step is taken again as long as that may help.
      if (StepRetryDelay(failure, order.attempts + 1, clock_.Now())) throw;
      log::Warning(Cat("an alternate chain is left out: ", failure.detail));
    }
  }
  log::Warning(Cat("no chain of issuer '", Printable(order.preferred_chain, 100),
                   "' is offered: the CA's own choice is kept"));
  return own;
}

Outcome OrderFlow::Fetch(OrderRecord& order, std::stop_token stop) {
  Done done{ChooseChain(order, FetchChain(order.certificate_url, stop), stop)};
  order.chain_pem = done.version.chain_pem;
  order.state = OrderState::kDone;
  Tell("certificate", "certificate fetched and checked", 90);
  return done;
}

model::CertificateVersion OrderFlow::Checked(const OrderRecord& order,
                                             const std::string& chain_pem) const {
  return crypto::CheckedVersion(chain_pem, order.key_pem, order.identifiers, clock_.Now());
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

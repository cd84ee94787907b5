#include <algorithm>

#include "certwright/acme/order_flow.h"
#include "certwright/base/text.h"

namespace certwright::acme {

using model::AuthorizationRecord;
using model::OrderRecord;
using model::OrderState;

namespace {

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

}  // namespace

bool OrderFlow::Pause(const Wait& wait, std::stop_token stop) {
  if (wait.tokens.empty()) return clock_.Sleep(wait.at_most, stop);
  if (presenter_.WaitFetched(wait.tokens, kQuiet, wait.at_most, stop)) {
    if (news_++ == 0) Tell("fetched", "the CA has fetched every challenge", 50);
    polls_ = 0;
  }
  return !stop.stop_requested();
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

}  // namespace certwright::acme

// What the order flow asks of whoever answers HTTP-01 challenges (RFC 8555 section 8.3).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::acme {

class Http01Presenter {
 public:
  virtual ~Http01Presenter() = default;
  // From now on `token` is answered with `key_authorization`, until it was withdrawn as often as it
  // was presented: orders may share a pending authorization (RFC 8555 section 7.1.3), and so a token.
  virtual void Present(const std::string& token, const std::string& key_authorization) = 0;
  // An unknown token is fine.
  virtual void Withdraw(const std::string& token) = 0;
  // Waits for news of these tokens: every one was fetched since it was presented, at least one of
  // them after the last time that this said true, and none again for `quiet` (a CA looks from
  // several places, not always at once): true. False: `timeout` is over first, or `stop`.
  virtual bool WaitFetched(const std::vector<std::string>& tokens, Millis quiet, Millis timeout,
                           std::stop_token stop) = 0;
};

}  // namespace certwright::acme

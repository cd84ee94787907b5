// The way to the HTTP-01 responder, taken as the CA will take it (RFC 8555 section 8.3): from the
// name over DNS to each of its addresses, with a token of our own.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/random.h"
#include "certwright/model/identifier.h"
#include "certwright/probe/dns.h"

namespace certwright::probe {

enum class Verdict {
  kGood,
  kBad,
  kUnknown,  // it cannot be told from here
};
std::string_view VerdictName(Verdict verdict);  // "good", "bad", "unknown"

// What was seen at one address of a name, or of the name itself. Texts are safe to print.
struct Sight {
  std::string name;
  std::string address;  // "" : it is about the name
  Verdict verdict = Verdict::kUnknown;
  std::string saw;     // one sentence
  std::string advice;  // what somebody can do about it; "" where it is good
};

// From now on the token is answered with the key authorization, until what is given back is gone. May
// throw Error: then nothing can be told.
using Present = std::function<std::shared_ptr<void>(const std::string& token,
                                                    const std::string& key_authorization)>;

struct PathOptions {
  int http_port = 80;     // where the CA looks
  int https_port = 443;   // where it may be redirected to
  Millis timeout{5'000};  // of one exchange
};

// Every name, every A and AAAA address. Redirects are followed as CAs do: ten at most, to http or https
// on the usual ports, https without a look at the certificate. Never throws; a `stop` makes the rest
// kUnknown.
std::vector<Sight> LookAtChallengePath(const std::vector<model::Identifier>& names,
                                       Resolver& resolver, const Present& present, Random& random,
                                       const PathOptions& options, std::stop_token stop);

// kBad where one is, else kUnknown where one is.
Verdict Worst(const std::vector<Sight>& sights);
// The first sight that is as bad as the worst, as one line: "NAME (ADDRESS): saw; advice".
std::string Summary(const std::vector<Sight>& sights);

}  // namespace certwright::probe

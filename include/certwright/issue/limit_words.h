// Which limit a CA means when it says rateLimited (RFC 8555 section 6.6): the problem has one type
// for all of them, so its words are all there is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certwright/base/clock.h"
#include "certwright/model/ca_limits.h"

namespace certwright::issue {

struct SaidOfLimit {
  std::optional<model::LimitName> name;  // none: words that nobody knows
  std::string subject;                   // what stands in quotes: a name, a registered domain; or ""
  UnixSeconds retry_at = 0;              // "retry after 2026-09-11 02:47:09 UTC"; 0: not said
};

// The words are the CA's: whatever they are, nothing is thrown, and the subject is only to be
// looked for among what was asked for.
SaidOfLimit ReadLimitWords(std::string_view words);

}  // namespace certwright::issue

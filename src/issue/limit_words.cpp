#include "certwright/issue/limit_words.h"

#include <algorithm>

#include "certwright/base/text.h"

namespace certwright::issue {

namespace {

using model::LimitName;

// Boulder's words, of today and of some years ago; the first that is there counts.
constexpr struct {
  std::string_view words;
  LimitName name;
} kKnown[] = {
    {"exact set", LimitName::kCertificatesPerExactSet},
    {"duplicate certificate", LimitName::kCertificatesPerExactSet},
    {"too many new registrations", LimitName::kAccounts},
    {"too many registrations", LimitName::kAccounts},
    {"too many new orders", LimitName::kOrders},
    {"too many failed authorizations", LimitName::kFailedAuthorizations},
    {"temporarily prevented from requesting", LimitName::kConsecutiveFailures},
    {"certificates already issued", LimitName::kCertificatesPerDomain},
    {"too many certificates", LimitName::kCertificatesPerDomain},
};

constexpr std::string_view kRetryAfter = "retry after ";
constexpr std::size_t kDateBytes = 19;  // "2026-09-11 02:47:09"

UnixSeconds RetryAt(std::string_view words) {
  const auto at = words.find(kRetryAfter);
  if (at == std::string_view::npos) return 0;
  std::string date(words.substr(at + kRetryAfter.size(), kDateBytes));
  if (date.size() != kDateBytes || (date[10] != ' ' && date[10] != 't')) return 0;
  date[10] = 'T';
  return std::max<UnixSeconds>(ParseRfc3339(date + "Z"), 0);
}

std::string Quoted(std::string_view words) {
  const auto begin = words.find('"');
  if (begin == std::string_view::npos) return "";
  const auto end = words.find('"', begin + 1);
  return end == std::string_view::npos ? "" : std::string(words.substr(begin + 1, end - begin - 1));
}

}  // namespace

SaidOfLimit ReadLimitWords(std::string_view text) {
  const std::string words = ToLower(text);
  SaidOfLimit said;
  for (const auto& known : kKnown) {
    if (words.find(known.words) == std::string::npos) continue;
    said.name = known.name;
    break;
  }
  said.subject = Quoted(words);
  said.retry_at = RetryAt(words);
  return said;
}

}  // namespace certwright::issue

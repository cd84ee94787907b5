#include "certwright/issue/limit_words.h"

#include <gtest/gtest.h>

namespace certwright::issue {
namespace {

using model::LimitName;

TEST(LimitWords, AreLetsEncryptsOwn) {
  const struct {
    const char* words;
    std::optional<LimitName> name;
    const char* subject;
    const char* retry_at;  // "" : not said
  } kTable[] = {
      {"too many certificates (50) already issued for \"example.org\" in the last 168h0m0s, retry "
       "after 2026-11-27 10:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/",
       LimitName::kCertificatesPerDomain, "example.org", "2026-11-27T10:00:00Z"},
      {"too many certificates (5) already issued for this exact set of identifiers in the last "
       "168h0m0s, retry after 2026-09-11 02:47:09 UTC",
       LimitName::kCertificatesPerExactSet, "", "2026-09-11T02:47:09Z"},
      {"too many certificates (5) already issued for this exact set of domains in the last 168h",
       LimitName::kCertificatesPerExactSet, "", ""},
      {"too many certificates already issued for: example.org: see https://x",
       LimitName::kCertificatesPerDomain, "", ""},
      {"too many certificates already issued for exact set of domains: a.example.org",
       LimitName::kCertificatesPerExactSet, "", ""},
      {"too many new orders (300) from this account in the last 3h0m0s, retry after 2026-11-27 "
       "10:00:36 UTC",
       LimitName::kOrders, "", "2026-11-27T10:00:36Z"},
      {"too many new orders recently: see https://x", LimitName::kOrders, "", ""},
      {"too many failed authorizations (5) for \"A.example.org\" in the last 1h0m0s, retry after "
       "2026-11-27 10:12:00 UTC",
       LimitName::kFailedAuthorizations, "a.example.org", "2026-11-27T10:12:00Z"},
      {"too many failed authorizations recently", LimitName::kFailedAuthorizations, "", ""},
      {"too many new registrations (10) from this IP address in the last 3h0m0s, retry after "
       "2026-11-27 10:18:00 UTC",
       LimitName::kAccounts, "", "2026-11-27T10:18:00Z"},
      {"Your account is temporarily prevented from requesting certificates for a.example.org",
       LimitName::kConsecutiveFailures, "", ""},
      {"Service busy; retry later.", std::nullopt, "", ""},
      {"retry after lunch", std::nullopt, "", ""},
      {"retry after 2026-13-45 99:99:99 UTC", std::nullopt, "", ""},
      {"\"", std::nullopt, "", ""},
      {"", std::nullopt, "", ""},
  };
  for (const auto& row : kTable) {
    const SaidOfLimit said = ReadLimitWords(row.words);
    EXPECT_EQ(said.name, row.name) << row.words;
    EXPECT_EQ(said.subject, row.subject) << row.words;
    EXPECT_EQ(said.retry_at, *row.retry_at == 0 ? 0 : ParseRfc3339(row.retry_at)) << row.words;
  }
}

}  // namespace
}  // namespace certwright::issue

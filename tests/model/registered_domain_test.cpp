#include "certwright/model/registered_domain.h"

#include <gtest/gtest.h>

#include "certwright/model/ca_limits.h"

namespace certwright::model {
namespace {

TEST(RegisteredDomain, IsWhatWasBought) {
  const struct {
    const char* name;
    IdentifierType type;
    const char* value;
    const char* expected;
  } kTable[] = {
      {"itself", IdentifierType::kDns, "example.org", "example.org"},
      {"a host", IdentifierType::kDns, "www.example.org", "example.org"},
      {"deep", IdentifierType::kDns, "a.b.c.example.org", "example.org"},
      {"a suffix of two labels", IdentifierType::kDns, "new.blog.example.co.uk", "example.co.uk"},
      {"a wildcard", IdentifierType::kDns, "*.www.example.org", "example.org"},
      {"the private part of the list", IdentifierType::kDns, "www.somebody.github.io",
       "somebody.github.io"},
      {"a public suffix", IdentifierType::kDns, "github.io", "github.io"},
      {"a suffix by a rule with *", IdentifierType::kDns, "www.a.b.ck", "a.b.ck"},
      {"an exception from it", IdentifierType::kDns, "www.www.ck", "www.ck"},
      {"an A-label", IdentifierType::kDns, "www.xn--85x722f.xn--55qx5d.cn",
       "xn--85x722f.xn--55qx5d.cn"},
      {"in nobody's list", IdentifierType::kDns, "mail.node1.internal-thing",
       "node1.internal-thing"},
      {"IPv4", IdentifierType::kIp, "192.0.2.7", "192.0.2.7"},
      {"IPv6", IdentifierType::kIp, "2001:db8::1", "2001:db8::/64"},
      {"IPv6 of the same network", IdentifierType::kIp, "2001:db8:0:0:ffff::1", "2001:db8::/64"},
      {"IPv6 of another", IdentifierType::kIp, "2001:db8:0:1::1", "2001:db8:0:1::/64"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(RegisteredDomain({row.type, row.value}), row.expected) << row.name;
  }
}

TEST(LimitName, IsTheSameThereAndBack) {
  for (const LimitName name : kLimitNames) EXPECT_EQ(LimitFromText(LimitText(name)), name);
  EXPECT_FALSE(LimitFromText("certificates"));
}

}  // namespace
}  // namespace certwright::model

#include "certwright/probe/caa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace certwright::probe {
namespace {

using Verdict = CaaDecision::Verdict;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CaaIssuer Ours() { return {{"ca.example", "other-name.example"}, "https://ca.example/acct/1"}; }

TEST(DecideCaa, FollowsTheTable) {
  struct Row {
    const char* name;
    std::vector<CaaRecord> records;
    bool wildcard;
    Verdict verdict;
  };
  const Row rows[] = {
      {"names us", {{false, "issue", "ca.example"}}, false, Verdict::kAllowed},
      {"our other name", {{false, "issue", "other-name.example"}}, false, Verdict::kAllowed},
      {"in capitals", {{false, "ISSUE", "CA.Example"}}, false, Verdict::kAllowed},
      {"blanks", {{false, "issue", "  ca.example  ; "}}, false, Verdict::kAllowed},
      {"names another", {{false, "issue", "else.example"}}, false, Verdict::kForbidden},
      {"a name that ends like ours", {{false, "issue", "evil-ca.example"}}, false,
       Verdict::kForbidden},
      {"one of two",
       {{false, "issue", "else.example"}, {false, "issue", "ca.example"}},
       false,
       Verdict::kAllowed},
      {"nobody", {{false, "issue", ";"}}, false, Verdict::kForbidden},
      {"empty", {{false, "issue", ""}}, false, Verdict::kForbidden},
      {"no value at all that is one", {{false, "issue", "%%%%%"}}, false, Verdict::kForbidden},
      {"a parameter without a value", {{false, "issue", "ca.example; nonsense"}}, false,
       Verdict::kForbidden},
      {"a parameter that nobody knows", {{false, "issue", "ca.example; policy=ev"}}, false,
       Verdict::kAllowed},

      {"only iodef", {{false, "iodef", "mailto:a@example.org"}}, false, Verdict::kAllowed},
      {"iodef, critical", {{true, "iodef", "mailto:a@example.org"}}, false, Verdict::kAllowed},
      {"only issuewild, no wildcard", {{false, "issuewild", ";"}}, false, Verdict::kAllowed},
      {"unknown", {{false, "tbs", "x"}}, false, Verdict::kAllowed},
      {"unknown and critical",
       {{false, "issue", "ca.example"}, {true, "tbs", "x"}},
       false,
       Verdict::kForbidden},
      {"critical issue", {{true, "issue", "ca.example"}}, false, Verdict::kAllowed},

      {"wildcard by issue", {{false, "issue", "ca.example"}}, true, Verdict::kAllowed},
      {"wildcard forbidden",
       {{false, "issue", "ca.example"}, {false, "issuewild", ";"}},
       true,
       Verdict::kForbidden},
      {"wildcard alone",
       {{false, "issue", ";"}, {false, "issuewild", "ca.example"}},
       true,
       Verdict::kAllowed},
      {"and no wildcard then",
       {{false, "issue", ";"}, {false, "issuewild", "ca.example"}},
       false,
       Verdict::kForbidden},

      {"our account", {{false, "issue", "ca.example; accounturi=https://ca.example/acct/1"}}, false,
       Verdict::kAllowed},
      {"another account", {{false, "issue", "ca.example; accounturi=https://ca.example/acct/2"}},
       false, Verdict::kForbidden},
      {"two accounts",
       {{false, "issue",
         "ca.example; accounturi=https://ca.example/acct/1; accounturi=https://ca.example/acct/1"}},
       false,
       Verdict::kForbidden},
      {"our method", {{false, "issue", "ca.example;validationmethods=dns-01,http-01"}}, false,
       Verdict::kAllowed},
      {"another method", {{false, "issue", "ca.example; ValidationMethods=dns-01"}}, false,
       Verdict::kForbidden},
      {"another method, and one without",
       {{false, "issue", "ca.example; validationmethods=dns-01"}, {false, "issue", "ca.example"}},
       false,
       Verdict::kAllowed},
      {"nothing", {}, false, Verdict::kAllowed},
  };
  for (const Row& row : rows) {
    const CaaDecision decision = DecideCaa("example.org", row.records, row.wildcard, Ours());
    EXPECT_EQ(decision.verdict, row.verdict) << row.name << ": " << decision.saw;
    EXPECT_EQ(decision.record.empty(), row.verdict != Verdict::kForbidden) << row.name;
  }
}

TEST(DecideCaa, NamesTheRecordThatForbids) {
  const CaaDecision decision =
      DecideCaa("example.org", {{false, "issue", "else\x1b.example"}}, false, Ours());
  EXPECT_EQ(decision.record, "example.org CAA 0 issue \"else?.example\"");
  EXPECT_THAT(decision.saw, HasSubstr("does not name this CA"));
}

TEST(DecideCaa, DoesNotKnowWithoutTheNamesOfTheCa) {
  CaaIssuer nameless;
  const auto verdict = [&](const char* value) {
    return DecideCaa("example.org", {{false, "issue", value}}, false, nameless).verdict;
  };
  EXPECT_EQ(verdict("ca.example"), Verdict::kUnknown);
  EXPECT_EQ(verdict(";"), Verdict::kForbidden) << "nobody is nobody";
}

TEST(DecideCaa, AnAccountThatIsNotThereYetIsNotTheOneThatIsMeant) {
  CaaIssuer newcomer = Ours();
  newcomer.account_url = "";
  const CaaRecord record{false, "issue", "ca.example; accounturi=https://ca.example/acct/1"};
  EXPECT_EQ(DecideCaa("example.org", {record}, false, newcomer).verdict, Verdict::kForbidden);
}

class Zone : public Resolver {
 public:
  Addresses LookUpAddresses(const std::string&, std::stop_token) override { return {}; }
  CaaRecords LookUpCaa(const std::string& name, std::stop_token) override {
    asked.push_back(name);
    if (name == broken) return {DnsStatus::kFailed, {}, "SERVFAIL"};
    const auto found = records.find(name);
    if (found == records.end()) return {DnsStatus::kNothing, {}, ""};
    return {DnsStatus::kFound, found->second, ""};
  }
  std::map<std::string, std::vector<CaaRecord>> records;
  std::string broken;
  std::vector<std::string> asked;
};

CaaDecision Ask(Zone& zone, const std::string& name) {
  return CaaAllows(zone, model::ParseIdentifier(name), Ours(), {});
}

TEST(CaaAllows, ClimbsUntilItFindsASet) {
  Zone zone;
  zone.records["example.org"] = {{false, "issue", ";"}};
  zone.records["org"] = {{false, "issue", "ca.example"}};
  EXPECT_EQ(Ask(zone, "www.sub.example.org").verdict, Verdict::kForbidden);
  EXPECT_THAT(zone.asked, ElementsAre("www.sub.example.org", "sub.example.org", "example.org"));
}

TEST(CaaAllows, TheNearestSetAloneCounts) {
  Zone zone;
  zone.records["www.example.org"] = {{false, "iodef", "mailto:a@example.org"}};
  zone.records["example.org"] = {{false, "issue", ";"}};
  EXPECT_EQ(Ask(zone, "www.example.org").verdict, Verdict::kAllowed);
}

TEST(CaaAllows, EverybodyWhereThereIsNone) {
  Zone zone;
  EXPECT_EQ(Ask(zone, "www.example.org").verdict, Verdict::kAllowed);
  EXPECT_EQ(zone.asked.back(), "org");
}

TEST(CaaAllows, AWildcardIsAskedForByItsDomain) {
  Zone zone;
  zone.records["example.org"] = {{false, "issuewild", ";"}};
  EXPECT_EQ(Ask(zone, "*.example.org").verdict, Verdict::kForbidden);
  EXPECT_EQ(zone.asked.front(), "example.org");
}

TEST(CaaAllows, AFailureOnTheWayIsNoPermission) {
  Zone zone;
  zone.broken = "example.org";
  const CaaDecision decision = Ask(zone, "www.example.org");
  EXPECT_EQ(decision.verdict, Verdict::kUnknown);
  EXPECT_EQ(decision.saw, "SERVFAIL");
}

TEST(CaaAllows, AnAddressHasNoCaa) {
  Zone zone;
  EXPECT_EQ(Ask(zone, "192.0.2.7").verdict, Verdict::kAllowed);
  EXPECT_TRUE(zone.asked.empty());
}

}  // namespace
}  // namespace certwright::probe

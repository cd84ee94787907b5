#include <thread>

#include "fixture.h"

namespace certwright::actions {
namespace {

using Mood = FakeCa::Mood;
using model::Origin;

constexpr char kMail[] = R"({"fqdn":"mail.example.org"})";
constexpr char kGiveUpMail[] = R"({"fqdn":"mail.example.org","lets_encrypt":false})";

class SetCertificateTest : public ActionsTest {
 protected:
  bool IsWanted(const std::string& fqdn) {
    return Output("get-certificate", json::Write(json::Value::Object({{"fqdn", fqdn}})))
        .Bool("lets_encrypt");
  }
  std::size_t deliveries() {
    const std::lock_guard guard(delivered_mutex_);
    return delivered_.size();
  }
  void WaitUntilIdle(const std::string& name_set) {
    for (int i = 0; i < 5000 && jobs_->IsUnderWay(name_set); ++i) {
      std::this_thread::sleep_for(Millis(1));
    }
  }
};

TEST_F(SetCertificateTest, ObtainsOnceAndThenOrdersNothing) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(json::Write(Output("set-certificate", kMail)), R"({"obtained":true})");
  }
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(SetCertificateTest, HeldAndValidIsSuccessWithoutAnOrder) {
  const struct {
    const char* name;
    Given given;
    bool held;
  } kTable[] = {
      {"by its name", {{"mail.example.org"}}, true},
      {"by one of many names", {{"mail.example.org", "www.example.org"}}, true},
      {"by a wildcard", {{"*.example.org"}}, true},
      {"uploaded", {{"mail.example.org"}, Origin::kUpload}, true},
      {"about to expire", {{"mail.example.org"}, Origin::kAcme, kNow - kDay, kNow + 1}, true},
      {"expired", {{"mail.example.org"}, Origin::kAcme, kNow - 90 * kDay, kNow}, false},
      {"not yet valid", {{"mail.example.org"}, Origin::kAcme, kNow + 1, kNow + kDay}, false},
      {"for another host", {{"www.example.org"}}, false},
      {"for a host below", {{"*.mail.example.org"}}, false},
  };
  ca_.mood = Mood::kRefusing;
  for (const auto& row : kTable) {
    const std::int64_t id = Hold(row.given).certificate.id;
    const int orders = ca_.orders;
    const Result result = Run("set-certificate", R"({"fqdn":"Mail.Example.Org"})");
    EXPECT_EQ(result.exit_code, row.held ? 0 : 3) << row.name;
    EXPECT_EQ(ca_.orders - orders, row.held ? 0 : 1) << row.name;
    database_->Write([&](store::Session& session) {
      store::DeleteCertificate(session, id);
      const auto wish = store::FindByNameSet(session, "mail.example.org");
      if (wish) store::DeleteCertificate(session, wish->certificate.id);
    });
    // The fuse counts them: each row begins after its window.
    clock_.now = kNow;
  }
}

TEST_F(SetCertificateTest, BadNamesBreakTheSchema) {
  for (const char* name :
       {"mail", "a..example.org", "-a.example.org", "a_b.example.org", "a.*.example.org", "*.org",
        "192.0.2.1", "[2001:db8::1]", "a`.example.org", "{{x}}.example.org", "a b.example.org",
        "a.example.org.", "a.example.org/x", "https://a.example.org", "a.example.org:443",
        "a\nb.example.org", "\"quoted\".example.org", "back\\slash.example.org"}) {
    const std::string input = json::Write(json::Value::Object({{"fqdn", name}}));
    const Result result = Run("set-certificate", input);
    EXPECT_EQ(result.exit_code, 10) << name;
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("field"), "fqdn") << name;
    EXPECT_EQ(violation.String("parameter"), "fqdn") << name;
    EXPECT_EQ(violation.String("value"), name);
    EXPECT_EQ(violation.String("error"), "fqdn_format") << name;
    EXPECT_TRUE(IsPlain(violation.String("details"))) << violation.String("details");
    EXPECT_TRUE(IsPlain(result.error)) << result.error;
  }
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(SetCertificateTest, FailureIsThreeWithTheCasWordsMadePlain) {
  const struct {
    const char* name;
    Mood mood;
    std::string words;
    std::string expected;  // part of the details
  } kTable[] = {
      {"unreachable", Mood::kUnreachable, "", "connection refused"},
      {"refused", Mood::kRefusing, "the name is on our list", "the name is on our list"},
      {"quotes", Mood::kRefusing, "say \"no\" to C:\\evil", "say 'no' to C:/evil"},
      {"control characters", Mood::kRefusing, "one\ntwo\x1b[31m\x07\r\n", "one two"},
  };
  for (const auto& row : kTable) {
    ca_.mood = row.mood;
    ca_.words = row.words;
    const Result result = Run("set-certificate", R"({"fqdn":"Mail.example.org"})");
    EXPECT_EQ(result.exit_code, 3) << row.name;
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("field"), "fqdn") << row.name;
    EXPECT_EQ(violation.String("parameter"), "fqdn") << row.name;
    EXPECT_EQ(violation.String("value"), "Mail.example.org") << row.name;
    EXPECT_EQ(violation.String("error"), "newcert_acme_error") << row.name;
    EXPECT_THAT(violation.String("details"), testing::HasSubstr(row.expected)) << row.name;
    EXPECT_TRUE(IsPlain(violation.String("details"))) << violation.String("details");
    EXPECT_TRUE(IsPlain(result.error)) << result.error;
    EXPECT_TRUE(result.failure) << row.name;
  }
}

TEST_F(SetCertificateTest, WildcardIsTakenAsANameAndFailsForWhatItIs) {
  const Result result = Run("set-certificate", R"({"fqdn":"*.example.org"})");
  EXPECT_EQ(result.exit_code, 3) << "HTTP-01 cannot prove it";
  EXPECT_EQ(OneViolation(result).String("error"), "newcert_acme_error");
  Hold({{"*.example.org"}, Origin::kUpload});
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"*.example.org"})").exit_code, 0);
}

TEST_F(SetCertificateTest, TimeOutLeavesTheOrderUnderWay) {
  ca_.mood = Mood::kSilent;
  const Result result =
      Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", "module/mail1");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(OneViolation(result).String("error"), "newcert_acme_error");
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, FailureCode::kTimeout);
  EXPECT_TRUE(jobs_->IsUnderWay("mail.example.org"));
  EXPECT_EQ(RequestOf("module/mail1"), "") << "remembered once it was obtained, not before";
}

TEST_F(SetCertificateTest, ServedOrNotObtainedIsObtained) {
  deliver_works_ = false;
  EXPECT_EQ(json::Write(Output("set-certificate", kMail)), R"({"obtained":true})");
}

TEST_F(SetCertificateTest, WaitsUntilTheChangeIsDelivered) {
  Output("set-certificate", kMail);
  ASSERT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_[0], 0) << "the challenge route first";
  EXPECT_GT(delivered_[1], 0) << "then the event of the change";
}

TEST_F(SetCertificateTest, OneNameForEachModule) {
  Output("set-certificate", kMail, "module/mail1");
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
  Output("set-certificate", R"({"fqdn":"new.example.org"})", "module/mail1");
  EXPECT_EQ(RequestOf("module/mail1"), "new.example.org");
  EXPECT_TRUE(IsWanted("new.example.org"));
  EXPECT_FALSE(IsWanted("mail.example.org")) << "obsolete";
  EXPECT_TRUE(IsInStore("mail.example.org")) << "but not removed";
}

TEST_F(SetCertificateTest, ModulesDoNotTakeEachOthersPlace) {
  Output("set-certificate", kMail, "module/mail1");
  Output("set-certificate", R"({"fqdn":"voice.example.org"})", "module/voice1");
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
  EXPECT_EQ(RequestOf("module/voice1"), "voice.example.org");
}

TEST_F(SetCertificateTest, NameOfACallThatFailedIsNotRemembered) {
  Output("set-certificate", kMail, "module/mail1");
  ca_.mood = Mood::kRefusing;
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"new.example.org"})", "module/mail1").exit_code, 3);
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
  EXPECT_TRUE(IsWanted("mail.example.org"));
}

TEST_F(SetCertificateTest, AnAdministratorsNamesStandByThemselves) {
  for (const char* caller : {"", "user/admin", "cluster"}) {
    Output("set-certificate", kMail, caller);
    Output("set-certificate", R"({"fqdn":"new.example.org"})", caller);
    EXPECT_TRUE(IsWanted("mail.example.org")) << caller;
    EXPECT_TRUE(IsWanted("new.example.org")) << caller;
    EXPECT_EQ(RequestOf(caller), "");
  }
}

TEST_F(SetCertificateTest, GivingUpRemovesTheNameThatIsRecorded) {
  Output("set-certificate", kMail, "module/mail1");
  const std::size_t before = delivered_.size();
  // Whatever name it says: the caller has one.
  Output("set-certificate", R"({"fqdn":"other.example.org","lets_encrypt":false})",
         "module/mail1");
  EXPECT_EQ(RequestOf("module/mail1"), "");
  EXPECT_FALSE(IsInStore("mail.example.org"));
  EXPECT_EQ(delivered_.size(), before + 1) << "its removal is told, and waited for";
}

TEST_F(SetCertificateTest, GivingUpTwiceOrNothingIsFine) {
  Output("set-certificate", kMail, "module/mail1");
  for (int i = 0; i < 3; ++i) Output("set-certificate", kGiveUpMail, "module/mail1");
  Output("set-certificate", kGiveUpMail, "module/other1");
  Output("set-certificate", kGiveUpMail);
}

TEST_F(SetCertificateTest, AdministratorGivesUpTheNameItself) {
  Output("set-certificate", kMail);
  Output("set-certificate", R"({"fqdn":"new.example.org"})");
  Output("set-certificate", kGiveUpMail);
  EXPECT_FALSE(IsInStore("mail.example.org"));
  EXPECT_TRUE(IsInStore("new.example.org"));
}

TEST_F(SetCertificateTest, GivingUpLeavesWhatIsNotTheCallersAlone) {
  Hold({{"mail.example.org"}});  // an administrator's
  Hold({{"custom.example.org"}, Origin::kUpload});
  Output("set-certificate", kMail, "module/mail1");
  Output("set-certificate", R"({"fqdn":"custom.example.org"})", "module/custom1");
  Output("set-certificate", R"({"fqdn":"shared.example.org"})", "module/one1");
  Output("set-certificate", R"({"fqdn":"shared.example.org"})", "module/two1");
  const struct {
    const char* name;
    const char* fqdn;
    const char* caller;
  } kTable[] = {
      {"an administrator's certificate", "mail.example.org", "module/mail1"},
      {"an uploaded one", "custom.example.org", "module/custom1"},
      {"an uploaded one, as administrator", "custom.example.org", ""},
      {"one that another module wants too", "shared.example.org", "module/one1"},
      {"one of another module", "shared.example.org", "module/three1"},
  };
  for (const auto& row : kTable) {
    Output("set-certificate",
           json::Write(json::Value::Object({{"fqdn", row.fqdn}, {"lets_encrypt", false}})),
           row.caller);
    EXPECT_EQ(RequestOf(row.caller), "") << row.name;
    EXPECT_TRUE(IsInStore(row.fqdn)) << row.name;
  }
  EXPECT_TRUE(IsWanted("shared.example.org"));
  Output("set-certificate", R"({"fqdn":"shared.example.org","lets_encrypt":false})",
         "module/two1");
  EXPECT_FALSE(IsInStore("shared.example.org")) << "the last one takes it along";
}

TEST_F(SetCertificateTest, GivingUpANameThatWasNeverObtainedForgetsIt) {
  ca_.mood = Mood::kRefusing;
  EXPECT_EQ(Run("set-certificate", kMail, "module/mail1").exit_code, 3);
  EXPECT_TRUE(IsInStore("mail.example.org"));
  Output("set-certificate", kGiveUpMail, "module/mail1");
  EXPECT_FALSE(IsInStore("mail.example.org")) << "nobody tries it again";
}

TEST_F(SetCertificateTest, GivingUpWhileItIsOrderedStoresNothingOfIt) {
  const char* kAtOnce = R"({"fqdn":"mail.example.org","sync_timeout":0})";
  ca_.mood = Mood::kSilent;
  Run("set-certificate", kAtOnce, "module/mail1");
  for (int i = 0; i < 5000 && ca_.orders == 0; ++i) std::this_thread::sleep_for(Millis(1));
  Output("set-certificate", kGiveUpMail, "module/mail1");
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle("mail.example.org");
  EXPECT_EQ(RequestOf("module/mail1"), "");
  EXPECT_FALSE(IsInStore("mail.example.org"));
  // And it can be asked for again.
  Output("set-certificate", kMail, "module/mail1");
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
}

TEST_F(SetCertificateTest, WhatIsObtainedInTheBackgroundIsRemembered) {
  ca_.mood = Mood::kSilent;
  Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", "module/mail1");
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle("mail.example.org");
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
  EXPECT_TRUE(IsWanted("mail.example.org"));
}

TEST_F(SetCertificateTest, ANameThatComesLateDoesNotTakeALaterOnesPlace) {
  Hold({{"new.example.org"}});
  ca_.mood = Mood::kSilent;
  Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", "module/mail1");
  clock_.now = kNow + 1;
  Output("set-certificate", R"({"fqdn":"new.example.org"})", "module/mail1");
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle("mail.example.org");
  EXPECT_TRUE(IsInStore("mail.example.org"));
  EXPECT_EQ(RequestOf("module/mail1"), "new.example.org");
}

TEST_F(SetCertificateTest, WhatIsObtainedInPlaceOfAnExpiredOneIsRemembered) {
  Hold({{"mail.example.org"}, Origin::kAcme, kNow - 90 * kDay, kNow});
  Output("set-certificate", kMail, "module/mail1");
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
}

TEST_F(SetCertificateTest, EveryModuleThatWaitsForOneOrderIsRemembered) {
  ca_.mood = Mood::kSilent;
  Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", "module/mail1");
  std::thread other([&] { Output("set-certificate", kMail, "module/web1"); });
  for (int i = 0; i < 5000 && deliveries() < 2; ++i) std::this_thread::sleep_for(Millis(1));
  std::this_thread::sleep_for(Millis(20));
  ca_.mood = Mood::kIssuing;
  other.join();
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
  EXPECT_EQ(RequestOf("module/web1"), "mail.example.org");
}

TEST_F(SetCertificateTest, GivingUpLeavesTheOrderToWhoWaitsForItToo) {
  ca_.mood = Mood::kSilent;
  Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", "module/mail1");
  Result waited;
  std::thread other([&] { waited = Run("set-certificate", kMail, "module/voip1"); });
  for (int i = 0; i < 5000 && deliveries() < 2; ++i) std::this_thread::sleep_for(Millis(1));
  std::this_thread::sleep_for(Millis(20));
  Output("set-certificate", R"({"fqdn":"mail.example.org","lets_encrypt":false})", "module/mail1");
  EXPECT_TRUE(IsInStore("mail.example.org"));
  ca_.mood = Mood::kIssuing;
  other.join();
  EXPECT_EQ(waited.exit_code, 0) << waited.error;
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(RequestOf("module/voip1"), "mail.example.org");
  EXPECT_EQ(RequestOf("module/mail1"), "") << "it has given up";
}

TEST_F(SetCertificateTest, ANameThatWasMistypedIsForgottenOnceTheRightOneIsThere) {
  ca_.mood = Mood::kRefusing;
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"typo.example.org"})", "module/mail1").exit_code, 3);
  clock_.now = kNow + kDay;
  Output("renew", "");
  EXPECT_TRUE(IsInStore("typo.example.org")) << "it is what the module asked for last";
  ca_.mood = Mood::kIssuing;
  Output("set-certificate", kMail, "module/mail1");
  ca_.mood = Mood::kRefusing;
  clock_.now = kNow + 3 * kDay;
  Output("renew", "");
  EXPECT_FALSE(IsInStore("typo.example.org"));
  EXPECT_TRUE(IsInStore("mail.example.org"));
}

TEST_F(SetCertificateTest, AModuleThatWaitsNoMoreForAnothersOrderIsRemembered) {
  ca_.mood = Mood::kSilent;
  for (const char* module : {"module/mail1", "module/web1"}) {
    const Result result =
        Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})", module);
    EXPECT_EQ(result.exit_code, 3);
  }
  EXPECT_EQ(RequestOf("module/web1"), "") << "not obtained yet";
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle("mail.example.org");
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(RequestOf("module/web1"), "mail.example.org");
}

}  // namespace
}  // namespace certwright::actions

// lets_encrypt, lets_encrypt_check and lets_encrypt_cleanup of set-route and delete-route.
#include "certwright/issue/routes.h"
#include "certwright/store/renewals.h"
#include "routes_fixture.h"

namespace certwright::actions {
namespace {

using Mood = FakeCa::Mood;
using model::Origin;
using testing::HasSubstr;

constexpr char kHost[] = "a.example.org";

class RouteCertificatesTest : public RoutesTest {
 protected:
  Result Set(const std::string& instance, const std::string& rest) {
    return Run("set-route", Cat(R"({"instance":")", instance,
                                R"(","url":"http://127.0.0.1:2000","host":"a.example.org",)", rest,
                                "}"));
  }
  void Want(const std::string& instance = "m1") {
    EXPECT_EQ(Set(instance, R"("lets_encrypt":true)").exit_code, 0);
  }
  void Delete(const std::string& instance, bool cleanup) {
    Output("delete-route", Cat(R"({"instance":")", instance, R"(","lets_encrypt_cleanup":)",
                               cleanup ? "true" : "false", "}"));
  }
  bool IsHeld() {
    const auto managed = Managed(kHost);
    return managed && managed->current;
  }
};

TEST_F(RouteCertificatesTest, IsPendingUntilItIsThere) {
  ca_.mood = Mood::kSilent;
  Want();
  EXPECT_EQ(Status("m1"), "pending");
  EXPECT_TRUE(Output("get-certificate", R"({"fqdn":"a.example.org"})").Bool("lets_encrypt"));
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle(kHost);
  EXPECT_EQ(Status("m1"), "");
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(Managed(kHost)->certificate.owner, model::kRouteOwner);
  EXPECT_EQ(RequestOf(model::kRouteOwner), "") << "a route is no module";
  Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(RouteCertificatesTest, TwoRoutesOfOneHostAskOnce) {
  ca_.mood = Mood::kSilent;
  Want("m1");
  Want("m2");
  ca_.mood = Mood::kIssuing;
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(Status("m2"), "");
}

TEST_F(RouteCertificatesTest, IsNotAskedForWhereOneCoversTheHost) {
  Hold({{"*.example.org"}, Origin::kUpload});
  Want();
  EXPECT_EQ(Status("m1"), "");
  EXPECT_FALSE(IsInStore(kHost));
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(RouteCertificatesTest, ACaThatCannotBeReachedIsNoFailure) {
  ca_.mood = Mood::kUnreachable;
  Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(Status("m1"), "pending");
  ASSERT_TRUE(IsInStore(kHost));
  EXPECT_GT(Managed(kHost)->certificate.next_action_at, 0) << "the scheduler tries again";
}

TEST_F(RouteCertificatesTest, TheSameRequestAgainSpendsNoOrder) {
  ca_.mood = Mood::kRefusing;
  Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 1);
  for (int i = 0; i < 3; ++i) Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 1) << "the next try is the scheduler's";
  Set("m1", R"("lets_encrypt":false)");
  Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 2) << "asked for anew";
}

TEST_F(RouteCertificatesTest, WithoutADaemonItIsLeftDue) {
  runner_.emplace(MakeContext());
  Want();
  EXPECT_EQ(ca_.orders, 0);
  EXPECT_EQ(Managed(kHost)->certificate.next_action_at, kNow);
  EXPECT_TRUE(Output("renew", "").Bool("ok"));
  EXPECT_TRUE(IsHeld());
}

TEST_F(RouteCertificatesTest, CleanupLeavesWhatWasUploaded) {
  Want();
  WaitUntilIdle(kHost);
  Hold({{kHost}, Origin::kUpload});
  Delete("m1", true);
  EXPECT_FALSE(IsHeld());
  EXPECT_TRUE(IsInStore(kHost));
}

TEST_F(RouteCertificatesTest, AnUploadThatCoveredItGoesAndItAsksForItsOwn) {
  Hold({{"*.example.org"}, Origin::kUpload});
  Want();
  EXPECT_FALSE(IsInStore(kHost));
  Output("delete-certificate", R"({"type":"custom","path":"custom_certificates/*.example.org.crt"})");
  ASSERT_TRUE(IsInStore(kHost));
  EXPECT_EQ(Managed(kHost)->certificate.next_action_at, kNow) << "the scheduler gets it";
  Output("renew", "");
  EXPECT_TRUE(IsHeld());
}

TEST_F(RouteCertificatesTest, WhatCoveredItByAnotherNameIsDeletedAndItAsksForItsOwn) {
  const std::string serial = Hold({{"*.example.org", "example.org"}}).current->serial_hex;
  Want();
  EXPECT_FALSE(IsInStore(kHost));
  Output("delete-certificate", Cat(R"({"type":"internal","serial":")", serial, "\"}"));
  EXPECT_EQ(Managed(kHost)->certificate.next_action_at, kNow);
}

TEST_F(RouteCertificatesTest, WhatCoveredItHasExpiredAndTheDaemonAsksForItsOwn) {
  Hold({{"*.example.org"}, Origin::kUpload, kNow - kDay, kNow + kDay});
  Want();
  chores_.RunOnce({});
  EXPECT_FALSE(IsInStore(kHost));
  clock_.now = kNow + 2 * kDay;
  chores_.RunOnce({});
  EXPECT_TRUE(IsInStore(kHost));
}

TEST_F(RouteCertificatesTest, WhatCoveredItHasExpiredAndRenewAsksForItsOwn) {
  Hold({{"*.example.org"}, Origin::kUpload, kNow - kDay, kNow + kDay});
  Want();
  clock_.now = kNow + 2 * kDay;
  EXPECT_EQ(Status("m1"), "pending");
  Output("renew", "");
  EXPECT_TRUE(IsHeld());
}

TEST_F(RouteCertificatesTest, CheckComesFirst) {
  EXPECT_EQ(Set("m1", R"("lets_encrypt":true,"lets_encrypt_check":true)").exit_code, 0);
  EXPECT_TRUE(IsHeld());
  EXPECT_EQ(Status("m1"), "");
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(RouteCertificatesTest, CheckRefusesInTheWordsOfTheCa) {
  ca_.mood = Mood::kRefusing;
  ca_.words = "\"a\" is no good";
  const Result result = Set("m1", R"("lets_encrypt":true,"lets_encrypt_check":true)");
  EXPECT_EQ(result.exit_code, 3);
  const json::Value violation = OneViolation(result);
  EXPECT_EQ(violation.String("field"), "host");
  EXPECT_EQ(violation.String("parameter"), "names");
  EXPECT_EQ(violation.String("value"), kHost);
  EXPECT_EQ(violation.String("error"), "newcert_acme_error");
  EXPECT_THAT(violation.String("details"), HasSubstr("'a' is no good"));
  EXPECT_TRUE(IsPlain(violation.String("details")));
  EXPECT_EQ(Route("m1"), "{}");
  EXPECT_FALSE(IsInStore(kHost)) << "nobody wants it: it is not asked for again";
}

TEST_F(RouteCertificatesTest, CheckOfWhatCanHaveNoneIsRefusedLikeTheRest) {
  const Result result = Run("set-route", R"({"instance":"m1","url":"http://127.0.0.1:2000",
      "host":"localhost","path":"/x","lets_encrypt":true,"lets_encrypt_check":true})");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(OneViolation(result).String("error"), "newcert_acme_error");
  EXPECT_EQ(OneViolation(result).String("value"), "localhost");
  EXPECT_EQ(Route("m1"), "{}");
}

TEST_F(RouteCertificatesTest, CheckWithoutALetsEncryptIsNone) {
  ca_.mood = Mood::kRefusing;
  EXPECT_EQ(Set("m1", R"("lets_encrypt":false,"lets_encrypt_check":true)").exit_code, 0);
  EXPECT_EQ(Set("m2", R"("lets_encrypt_check":true)").exit_code, 0);
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(RouteCertificatesTest, CheckOfAnotherHostLeavesWhatARouteWants) {
  ca_.mood = Mood::kRefusing;
  Want();
  WaitUntilIdle(kHost);
  EXPECT_EQ(Set("m2", R"("lets_encrypt":true,"lets_encrypt_check":true)").exit_code, 3);
  EXPECT_TRUE(IsInStore(kHost)) << "m1 still wants it";
}

TEST_F(RouteCertificatesTest, CleanupTakesWhatOnlyTheRouteWanted) {
  const struct {
    const char* name;
    std::function<void()> before;
    std::function<void()> give_up;
    bool stays;
  } kTable[] = {
      {"deleted", [] {}, [&] { Delete("m1", true); }, false},
      {"deleted without cleanup", [] {}, [&] { Delete("m1", false); }, true},
      {"switched off", [] {},
       [&] { Set("m1", R"("lets_encrypt":false,"lets_encrypt_cleanup":true)"); }, false},
      {"another host", [] {},
       [&] {
         Run("set-route",
             R"({"instance":"m1","host":"b.example.org","lets_encrypt_cleanup":true})");
         WaitUntilIdle("b.example.org");
       },
       false},
      {"host cleared", [] {},
       [&] {
         Run("set-route",
             R"({"instance":"m1","host":null,"path":"/a","lets_encrypt_cleanup":true})");
       },
       false},
      {"nothing given up", [] {},
       [&] { Set("m1", R"("lets_encrypt":true,"lets_encrypt_cleanup":true)"); }, true},
      {"wanted by another route", [&] { Want("m2"); }, [&] { Delete("m1", true); }, true},
      {"wanted by a module",
       [&] { Output("set-certificate", R"({"fqdn":"a.example.org"})", "module/x1"); },
       [&] { Delete("m1", true); }, true},
      {"an administrator's", [&] { Hold({{kHost}, Origin::kAcme, kNow, kNow + 999 * kDay}); }, [&] { Delete("m1", true); }, true},
      {"the default", [&] {
         database_->Write([&](store::Session& session) {
           store::SaveDefaultNames(session, {kHost}, kNow);
         });
       }, [&] { Delete("m1", true); }, true},
  };
  for (const auto& row : kTable) {
    clock_.now += 8 * kDay;  // for the fuse
    Want();
    WaitUntilIdle(kHost);
    ASSERT_TRUE(IsHeld()) << row.name;
    row.before();
    const std::int64_t seq = LastEvent();
    row.give_up();
    EXPECT_EQ(IsHeld(), row.stays) << row.name;
    const bool told = EventsAfter(seq).find("certificate-changed deleted a.example.org") !=
                      std::string::npos;
    EXPECT_EQ(told, !row.stays) << row.name;

    Output("module-removed", R"({"module":"m1"})");
    Output("module-removed", R"({"module":"m2"})");
    database_->Write([&](store::Session& session) {
      store::DeleteNameRequest(session, "module/x1");
      store::SaveDefaultNames(session, {}, kNow);
      const auto held = store::FindByNameSet(session, kHost);
      if (held) store::DeleteCertificate(session, held->certificate.id);
    });
  }
}

TEST_F(RouteCertificatesTest, WhatNeverCameGoesWithTheRoute) {
  ca_.mood = Mood::kRefusing;
  Want();
  WaitUntilIdle(kHost);
  EXPECT_TRUE(IsInStore(kHost));
  Delete("m1", false);
  EXPECT_FALSE(IsInStore(kHost));
}

TEST_F(RouteCertificatesTest, WhatNeverCameIsForgottenByTheScheduler) {
  ca_.mood = Mood::kSilent;
  Want();
  Delete("m1", true);  // the order is under way
  EXPECT_TRUE(IsInStore(kHost));
  ca_.mood = Mood::kRefusing;
  WaitUntilIdle(kHost);
  EXPECT_EQ(ca_.orders, 1);
  clock_.now = kNow + kDay;
  EXPECT_TRUE(Output("renew", "").Bool("ok"));
  EXPECT_FALSE(IsInStore(kHost));
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(RouteCertificatesTest, WhatComesAfterACleanupGoes) {
  const struct {
    const char* name;
    bool cleanup;
    std::function<void()> meanwhile;
    bool stays;
  } kTable[] = {
      {"cleanup", true, [] {}, false},
      {"no cleanup", false, [] {}, true},
      {"wanted again", true, [&] { Want("m2"); }, true},
      {"wanted by a module", true,
       [&] {
         database_->Write([&](store::Session& session) {
           store::SaveNameRequest(session, {"module/x1", kHost, kNow});
         });
       },
       true},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.name);
    ca_.mood = Mood::kSilent;
    Want();
    Delete("m1", row.cleanup);  // the order is under way
    row.meanwhile();
    ca_.mood = Mood::kIssuing;
    WaitUntilIdle(kHost);
    ASSERT_TRUE(IsHeld());
    const std::int64_t seq = LastEvent();
    Output("renew", "");
    EXPECT_EQ(IsHeld(), row.stays);
    EXPECT_EQ(EventsAfter(seq), row.stays ? "" : "certificate-changed deleted a.example.org");
    clock_.now += 8 * kDay;  // for the fuse
    database_->Write([&](store::Session& session) {
      if (const auto held = store::FindByNameSet(session, kHost)) {
        store::DeleteCertificate(session, held->certificate.id);
      }
    });
  }
}

TEST_F(RouteCertificatesTest, AModuleLeavesToTheRouteWhatThatWants) {
  Output("set-certificate", R"({"fqdn":"a.example.org"})", "module/x1");
  Want();
  Output("set-certificate", R"({"fqdn":"a.example.org","lets_encrypt":false})", "module/x1");
  ASSERT_TRUE(IsHeld());
  EXPECT_EQ(Managed(kHost)->certificate.owner, model::kRouteOwner);
  Delete("m1", true);
  EXPECT_FALSE(IsInStore(kHost));
}

TEST_F(RouteCertificatesTest, AModuleGivesUpWhatARouteHadAskedForBefore) {
  Want();
  WaitUntilIdle(kHost);
  Output("set-certificate", R"({"fqdn":"a.example.org"})", "module/x1");
  Delete("m1", true);
  ASSERT_TRUE(IsHeld()) << "the module wants it";
  Output("set-certificate", R"({"fqdn":"a.example.org","lets_encrypt":false})", "module/x1");
  EXPECT_FALSE(IsInStore(kHost));
}

}  // namespace
}  // namespace certwright::actions

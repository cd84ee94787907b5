#include "certwright/store/revocations.h"
#include "certwright/store/routes.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using testing::HasSubstr;

class RevokeActionTest : public ActionsTest {
 protected:
  RevokeActionTest() { Output("issue", R"({"names":["a.example.org"]})"); }
  std::string Serial() { return VersionOf("a.example.org").serial_hex; }
  std::size_t ToRevoke() {
    return database_->Read(
        [](store::Session& session) { return store::ListToRevoke(session).size(); });
  }
};

TEST_F(RevokeActionTest, TheCertificateIsGoneWithItsCurrentVersion) {
  const json::Value output = Output("revoke", R"({"certificate":"a.example.org"})");
  EXPECT_TRUE(output.Bool("removed"));
  EXPECT_EQ(ca_.revocations, 1);
  EXPECT_FALSE(IsInStore("a.example.org"));
  EXPECT_EQ(Run("revoke", R"({"certificate":"a.example.org"})").exit_code, 2);
}

TEST_F(RevokeActionTest, AModuleThatAskedForItDoesNotAskAnyMore) {
  Output("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1");
  ASSERT_EQ(RequestOf("module/mail1"), "mail.example.org");
  Output("revoke", R"({"certificate":"mail.example.org"})");
  EXPECT_EQ(RequestOf("module/mail1"), "");
}

TEST_F(RevokeActionTest, RoutesAndTheDefaultDoNotAskAnyMore) {
  model::Route route;
  route.instance = "m1";
  route.url = "http://127.0.0.1:2000";
  route.host = "a.example.org";
  route.lets_encrypt = true;
  database_->Write([&](store::Session& session) {
    store::SaveRoute(session, route, kNow);
    store::SaveDefaultNames(session, {"a.example.org"}, kNow);
  });
  Output("revoke", R"({"certificate":"a.example.org","replace":true})");
  EXPECT_TRUE(database_->Read([](store::Session& session) {
    return store::RouteWantsCertificate(session, "a.example.org");
  })) << "it has another one";
  Output("revoke", R"({"certificate":"a.example.org"})");
  chores_.RunOnce({});
  EXPECT_FALSE(IsInStore("a.example.org"));
  EXPECT_EQ(database_->Read(store::DefaultNameSet), "");
}

TEST_F(RevokeActionTest, TheReplacementComesFirst) {
  const std::string old = Serial();
  const json::Value output =
      Output("revoke", R"({"certificate":"a.example.org","replace":true,"reason":"superseded"})");
  EXPECT_EQ(output.String("serial"), old);
  EXPECT_EQ(output.String("replaced_by"), Serial());
  EXPECT_NE(Serial(), old);
  EXPECT_EQ(ca_.revocations, 1);
  EXPECT_EQ(Run("activate", Cat(R"({"serial":")", old, "\"}")).exit_code, 3);
  Output("revoke", Cat(R"({"certificate":")", old, "\"}"));
  EXPECT_EQ(ca_.revocations, 1) << "it is already";
}

TEST_F(RevokeActionTest, WithoutAReplacementNothingIsRevokedYet) {
  const std::string old = Serial();
  ca_.mood = FakeCa::Mood::kRefusing;
  const Result result = Run("revoke", R"({"certificate":"a.example.org","replace":true})");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("nothing is revoked yet"));
  EXPECT_EQ(ca_.revocations, 0);
  EXPECT_EQ(Serial(), old);
  EXPECT_EQ(ToRevoke(), 1u) << "it is not forgotten";
  const json::Value planned = Output("plan", "");
  EXPECT_EQ(planned["certificates"].Items().at(0).String("reason"), "retry");
}

TEST_F(RevokeActionTest, WhatWasUploadedIsNotOursToRevoke) {
  Hold({{"up.example.org"}, model::Origin::kUpload});
  const Result result = Run("revoke", R"({"certificate":"up.example.org"})");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("uploaded"));
  EXPECT_TRUE(IsInStore("up.example.org"));
}

TEST_F(RevokeActionTest, ACertificateIsNotDeletedBeforeItsVersionsAreRevoked) {
  const std::string old = Serial();
  Output("renew", R"({"certificates":["a.example.org"],"force":true})");
  ca_.mood = FakeCa::Mood::kUnreachable;
  EXPECT_EQ(Run("revoke", Cat(R"({"certificate":")", old, "\"}")).exit_code, 3);
  const Result result = Run("delete", R"({"certificate":"a.example.org"})");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr(old));
  ca_.mood = FakeCa::Mood::kIssuing;
  Output("renew", "{}");
  EXPECT_EQ(ToRevoke(), 0u) << "a timer carries it on";
  Output("delete", R"({"certificate":"a.example.org"})");
}

}  // namespace
}  // namespace certwright::actions

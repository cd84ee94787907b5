#include "certwright/issue/housekeeping.h"
#include "certwright/store/routes.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using Mood = FakeCa::Mood;

class DefaultCertificateTest : public ActionsTest {
 protected:
  std::vector<std::string> Names() {
    return database_->Read([](store::Session& session) { return store::FindDefaultNames(session); });
  }
  void Route(const std::string& host, bool lets_encrypt) {
    model::Route route;
    route.instance = "module1";
    route.url = "http://127.0.0.1:2000";
    route.host = host;
    route.lets_encrypt = lets_encrypt;
    database_->Write([&](store::Session& session) { store::SaveRoute(session, route, kNow); });
  }
  // "default", "automatic" or "obsolete" of each certificate, by its names.
  std::map<std::string, std::string> Purposes() {
    std::map<std::string, std::string> found;
    const json::Value listed = Output("list-certificates", "");
    for (const json::Value& one : listed["certificates"].Items()) {
      std::string text;
      for (const char* key : {"default", "automatic", "obsolete"}) {
        if (one.Has(key)) text += key;
      }
      found[Join(one.Strings("names"), ",")] = text;
    }
    return found;
  }
};

constexpr char kTwo[] = R"({"names":["www.Example.org","example.org"]})";

TEST_F(DefaultCertificateTest, IsObtainedAndTheFormerOneIsObsolete) {
  const Result result = Run("set-default-certificate", kTwo);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_FALSE(result.output);
  EXPECT_THAT(Names(), testing::ElementsAre("www.example.org", "example.org"));
  EXPECT_EQ(Run("set-default-certificate", kTwo).exit_code, 0);
  EXPECT_EQ(ca_.orders, 1) << "held already";
  EXPECT_EQ(Run("set-default-certificate", R"({"names":["new.example.org"]})").exit_code, 0);
  EXPECT_THAT(Purposes(), testing::ElementsAre(
                              testing::Pair("example.org,www.example.org", "obsolete"),
                              testing::Pair("new.example.org", "default")));
  EXPECT_FALSE(delivered_.empty());
}

TEST_F(DefaultCertificateTest, MergesWithTheFormerNames) {
  Run("set-default-certificate", kTwo);
  EXPECT_EQ(Run("set-default-certificate",
                R"({"names":["mail.example.org","example.org"],"merge":true})")
                .exit_code,
            0);
  EXPECT_THAT(Names(),
              testing::ElementsAre("mail.example.org", "example.org", "www.example.org"));
}

TEST_F(DefaultCertificateTest, AMergeThatAnotherOneOvertakesKeepsItsNames) {
  Run("set-default-certificate", kTwo);
  Context context = MakeContext();
  bool overtaken = false;
  context.deliver = [&](std::int64_t, Millis, std::stop_token) {
    if (!std::exchange(overtaken, true)) {
      Output("set-default-certificate", R"({"names":["b.example.org"],"merge":true})");
    }
    return true;
  };
  const Result result = Runner(context).Run(
      {"set-default-certificate", R"({"names":["a.example.org"],"merge":true})", "owner", ""},
      nullptr, {});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(Names(), testing::ElementsAre("a.example.org", "b.example.org", "www.example.org",
                                            "example.org"));
  ASSERT_TRUE(IsInStore("a.example.org,example.org,www.example.org"));
  Output("renew", "");
  EXPECT_FALSE(IsInStore("a.example.org,example.org,www.example.org")) << "it came for nothing";
  EXPECT_TRUE(IsInStore("a.example.org,b.example.org,example.org,www.example.org"));
}

TEST_F(DefaultCertificateTest, IsAskedForWhereTheNamesAreThereAndNoCertificate) {
  database_->Write([&](store::Session& session) {
    store::SaveDefaultNames(session, {"www.example.org", "example.org"}, kNow);  // by an import
  });
  Hold({{"example.org", "www.example.org"}, model::Origin::kUpload, kNow - kDay, kNow + kDay});
  chores_.RunOnce({});
  EXPECT_FALSE(IsInStore("example.org,www.example.org")) << "an upload will do";
  clock_.now = kNow + 2 * kDay;
  chores_.RunOnce({});
  ASSERT_TRUE(IsInStore("example.org,www.example.org"));
  Output("renew", "");
  EXPECT_EQ(VersionOf("example.org,www.example.org").origin, model::Origin::kAcme);
  EXPECT_EQ(Run("set-default-certificate", kTwo).exit_code, 0);
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(DefaultCertificateTest, OneThatAnAdministratorWantedStaysHis) {
  Hold({{"example.org", "www.example.org"}});
  EXPECT_EQ(Run("set-default-certificate", kTwo).exit_code, 0);
  EXPECT_EQ(ca_.orders, 0);
  Run("set-default-certificate", R"({"names":["new.example.org"]})");
  EXPECT_EQ(Purposes()["example.org,www.example.org"], "automatic");
}

TEST_F(DefaultCertificateTest, ConflictsWithARouteThatWantsItsOwn) {
  Route("www.example.org", false);
  EXPECT_EQ(Run("set-default-certificate", kTwo).exit_code, 0);
  Route("new.example.org", true);
  const char* wanted = R"({"names":["a.example.org","new.example.org"]})";
  const Result result = Run("set-default-certificate", wanted);
  EXPECT_EQ(result.exit_code, 2);
  const json::Value violation = OneViolation(result);
  EXPECT_EQ(violation.String("error"), "name_route_conflict");
  EXPECT_EQ(violation.String("field"), "names");
  EXPECT_EQ(violation.String("parameter"), "names");
  EXPECT_EQ(violation.String("value"), "new.example.org");
  EXPECT_THAT(Names(), testing::ElementsAre("www.example.org", "example.org"));
  EXPECT_EQ(Run("set-default-certificate",
                R"({"names":["a.example.org","new.example.org"],"check_routes":false})")
                .exit_code,
            0);
}

TEST_F(DefaultCertificateTest, WhatIsNotObtainedLeavesTheFormerOne) {
  Run("set-default-certificate", kTwo);
  ca_.mood = Mood::kRefusing;
  ca_.words = "not \"this\" name";
  const Result refused = Run("set-default-certificate", R"({"names":["no.example.org"]})");
  EXPECT_EQ(refused.exit_code, 3);
  const json::Value violation = OneViolation(refused);
  EXPECT_EQ(violation.String("error"), "newcert_acme_error");
  EXPECT_EQ(violation.String("field"), "names");
  EXPECT_EQ(violation.String("parameter"), "names");
  EXPECT_THAT(violation.String("details"), testing::HasSubstr("not 'this' name"));
  EXPECT_FALSE(IsInStore("no.example.org")) << "nobody goes on asking";
  ca_.mood = Mood::kSilent;
  EXPECT_EQ(Run("set-default-certificate", R"({"names":["slow.example.org"],"sync_timeout":0})")
                .exit_code,
            3);
  ca_.mood = Mood::kIssuing;
  EXPECT_THAT(Names(), testing::ElementsAre("www.example.org", "example.org"));
}

TEST_F(DefaultCertificateTest, ChecksItsInput) {
  const struct {
    const char* input;
    const char* error;
  } kTable[] = {
      {R"({})", "(root)_required"},
      {R"({"names":[]})", "names_array_min_items"},
      {R"({"names":["nodot"]})", "names_format"},
      {R"({"names":["a.example.org`"]})", "names_format"},
      {R"({"names":["a.example.org"],"more":1})", "(root)_additional_property_not_allowed"},
  };
  for (const auto& row : kTable) {
    const Result result = Run("set-default-certificate", row.input);
    EXPECT_EQ(result.exit_code, 10) << row.input;
    EXPECT_EQ(OneViolation(result).String("error"), row.error) << row.input;
  }
}

TEST_F(DefaultCertificateTest, MoreNamesThanACertificateCanHaveAreRefused) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(Cat("n", i, ".example.org"));
  database_->Write([&](store::Session& session) {
    store::SaveDefaultNames(session, names, kNow);
  });
  const Result result =
      Run("set-default-certificate", R"({"names":["one.example.org"],"merge":true})");
  EXPECT_EQ(result.exit_code, 10);
  EXPECT_EQ(OneViolation(result).String("error"), "names_format");
  EXPECT_EQ(Names(), names);
}

}  // namespace
}  // namespace certwright::actions

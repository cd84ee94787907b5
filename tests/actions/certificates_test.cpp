// list-certificates and delete-certificate.
#include "certwright/issue/housekeeping.h"
#include "certwright/store/routes.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using model::Origin;

class CertificatesTest : public ActionsTest {
 protected:
  json::Array Listed() { return Output("list-certificates", "")["certificates"].Items(); }
  json::Value ListedFor(const std::string& name) {
    for (const json::Value& one : Listed()) {
      if (one.Strings("names").front() == name) return one;
    }
    ADD_FAILURE() << name << " is not listed";
    return {};
  }
  std::string PurposeOf(const std::string& name) {
    const json::Value one = ListedFor(name);
    std::string text;
    for (const char* key : {"default", "automatic", "obsolete"}) {
      if (one.Bool(key)) text += key;
    }
    return text;
  }
  void Route(const std::string& instance, const std::string& host) {
    model::Route route;
    route.instance = instance;
    route.url = "http://127.0.0.1:2000";
    route.host = host;
    route.lets_encrypt = true;
    database_->Write([&](store::Session& session) { store::SaveRoute(session, route, kNow); });
  }
  bool RouteAsks(const std::string& host) {
    return database_->Read(
        [&](store::Session& session) { return store::RouteWantsCertificate(session, host); });
  }
  std::string Deleted(const json::Value& input) {
    return json::Write(Output("delete-certificate", json::Write(input))["certificate_names"]);
  }
};

TEST_F(CertificatesTest, ListsWhatCallersKnow) {
  const store::HeldCertificate held = Hold({{"www.example.org", "mail.example.org"}});
  Hold({{"up.example.org"}, Origin::kUpload});
  const json::Value one = ListedFor("mail.example.org");
  EXPECT_EQ(one.Strings("names"),
            (std::vector<std::string>{"mail.example.org", "www.example.org"}));
  EXPECT_EQ(one.String("subject"), held.current->subject);
  EXPECT_EQ(one.String("issuer"), held.current->issuer);
  EXPECT_EQ(one.String("serial"),
            crypto::InspectChain(held.current->chain_pem).front().serial_decimal);
  EXPECT_EQ(one.String("valid_from"), "2027-01-05T08:00:00+00:00");
  EXPECT_EQ(one.String("valid_to"), "2027-04-05T08:00:00+00:00");
  EXPECT_EQ(one.String("type"), "internal");
  EXPECT_FALSE(one.Has("path"));
  const json::Value uploaded = ListedFor("up.example.org");
  EXPECT_EQ(uploaded.String("type"), "custom");
  EXPECT_EQ(uploaded.String("path"), "custom_certificates/up.example.org.crt");
  for (const char* key : {"default", "automatic", "obsolete"}) EXPECT_FALSE(uploaded.Has(key));
}

TEST_F(CertificatesTest, ValidityIsOfNow) {
  const struct {
    const char* name;
    UnixSeconds from, to;
    const char* validity;
  } kTable[] = {
      {"a.example.org", kNow - 10 * kDay, kNow + 80 * kDay, "valid"},
      {"b.example.org", kNow - 60 * kDay, kNow + 30 * kDay, "expiring"},
      {"c.example.org", kNow - 3 * kDay, kNow + 4 * kDay, "valid"},
      {"d.example.org", kNow - 5 * kDay, kNow + 2 * kDay, "expiring"},
      {"e.example.org", kNow - 90 * kDay, kNow, "expired"},
      {"f.example.org", kNow + 1, kNow + 90 * kDay, "expired"},
  };
  for (const auto& row : kTable) {
    Hold({{row.name}, Origin::kAcme, row.from, row.to});
    EXPECT_EQ(ListedFor(row.name).String("validity"), row.validity) << row.name;
  }
}

TEST_F(CertificatesTest, TellsWhatEachIsThereFor) {
  Hold({{"admin.example.org"}});
  Hold({{"routed.example.org"}, Origin::kAcme, kNow - kDay, kNow + 80 * kDay, "routes"});
  Hold({{"unrouted.example.org"}, Origin::kAcme, kNow - kDay, kNow + 80 * kDay, "routes"});
  Route("web1", "routed.example.org");
  Output("set-certificate", R"({"fqdn":"first.example.org"})", "module/mail1");
  EXPECT_EQ(PurposeOf("first.example.org"), "automatic");
  Output("set-certificate", R"({"fqdn":"second.example.org"})", "module/mail1");
  Run("set-default-certificate", R"({"names":["def.example.org"]})");
  EXPECT_EQ(PurposeOf("admin.example.org"), "automatic");
  EXPECT_EQ(PurposeOf("routed.example.org"), "automatic");
  EXPECT_EQ(PurposeOf("unrouted.example.org"), "obsolete");
  EXPECT_EQ(PurposeOf("first.example.org"), "obsolete");
  EXPECT_EQ(PurposeOf("second.example.org"), "automatic");
  EXPECT_EQ(PurposeOf("def.example.org"), "default");
  // What an administrator asks for is wanted for itself.
  Output("set-certificate", R"({"fqdn":"first.example.org"})");
  EXPECT_EQ(PurposeOf("first.example.org"), "automatic");
}

TEST_F(CertificatesTest, WhatWasNotObtainedIsNotListed) {
  ca_.mood = FakeCa::Mood::kRefusing;
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"no.example.org"})").exit_code, 3);
  EXPECT_TRUE(Listed().empty());
}

TEST_F(CertificatesTest, DeletesBySerialAndNobodyAsksForItAnyMore) {
  Route("web1", "www.example.org");
  Route("web2", "other.example.org");
  const std::string hex = Hold({{"www.example.org"}}).current->serial_hex;
  const std::string decimal = ListedFor("www.example.org").String("serial");
  EXPECT_EQ(Deleted(json::Value::Object({{"type", "internal"}, {"serial", decimal}})),
            R"(["www.example.org"])");
  EXPECT_FALSE(RouteAsks("www.example.org"));
  EXPECT_TRUE(RouteAsks("other.example.org"));
  EXPECT_THAT(Events(), testing::EndsWith("routes-changed set, certificate-changed deleted"));
  EXPECT_FALSE(IsInStore("www.example.org"));
  const Result again =
      Run("delete-certificate", Cat(R"({"type":"internal","serial":")", hex, "\"}"));
  EXPECT_EQ(again.exit_code, 2);
}

TEST_F(CertificatesTest, AFormerSerialDeletesNothing) {
  const std::string former = Hold({{"www.example.org"}}).current->serial_hex;
  const std::string now = Hold({{"www.example.org"}}).current->serial_hex;
  ASSERT_NE(former, now);
  const Result old =
      Run("delete-certificate", Cat(R"({"type":"internal","serial":")", former, "\"}"));
  EXPECT_EQ(old.exit_code, 2);
  EXPECT_TRUE(IsInStore("www.example.org"));
}

TEST_F(CertificatesTest, OneThatWasUploadedTooIsDeletedBySerialAsWhatTheCaIssued) {
  const model::CertificateVersion both = *Hold({{"www.example.org"}}).current;
  database_->Write([&](store::Session& session) {
    store::SaveUpload(session, "www.example.org", both, kNow);
  });
  const json::Value input =
      json::Value::Object({{"type", "internal"}, {"serial", both.serial_hex}});
  EXPECT_EQ(Deleted(input), R"(["www.example.org"])");
  EXPECT_EQ(ListedFor("www.example.org").String("type"), "custom");
  EXPECT_EQ(Run("delete-certificate", json::Write(input)).exit_code, 2) << "the upload has a path";
}

TEST_F(CertificatesTest, DeletingOneOfSeveralNamesEndsTheRequestsThatNothingElseAnswers) {
  const std::string serial =
      Hold({{"a.example.org", "b.example.org", "c.example.org"}}).current->serial_hex;
  Output("set-certificate", R"({"fqdn":"a.example.org"})", "module/mail1");
  Output("set-certificate", R"({"fqdn":"b.example.org"})", "module/web1");
  Hold({{"b.example.org"}});
  Deleted(json::Value::Object({{"type", "internal"}, {"serial", serial}}));
  EXPECT_EQ(RequestOf("module/mail1"), "");
  EXPECT_EQ(RequestOf("module/web1"), "b.example.org");
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(CertificatesTest, DeletingTheDefaultLeavesTheSelfSignedPair) {
  Run("set-default-certificate", R"({"names":["def.example.org"]})");
  const std::string serial = ListedFor("def.example.org").String("serial");
  Deleted(json::Value::Object({{"type", "internal"}, {"serial", serial}}));
  EXPECT_TRUE(database_->Read([](store::Session& session) {
    return store::FindDefaultNames(session).empty();
  }));
}

TEST_F(CertificatesTest, DeletesAllThatAreObsolete) {
  const json::Value input = json::Value::Object({{"type", "internal"}, {"obsolete", true}});
  EXPECT_EQ(Deleted(input), "[]");
  Hold({{"keep.example.org"}});
  Hold({{"up.example.org"}, Origin::kUpload});
  for (const char* name : {"a.example.org", "b.example.org"}) {
    Hold({{name}, Origin::kAcme, kNow - kDay, kNow + 80 * kDay, "module/gone1"});
  }
  EXPECT_EQ(Deleted(input), R"(["a.example.org","b.example.org"])");
  EXPECT_EQ(Listed().size(), 2u);
}

TEST_F(CertificatesTest, ASweepLeavesWhatCannotGoJustNow) {
  for (const char* name : {"a.example.org", "b.example.org"}) {
    Hold({{name}, Origin::kAcme, kNow - kDay, kNow + 80 * kDay, "module/gone1"});
  }
  ca_.mood = FakeCa::Mood::kSilent;
  issue::ObtainRequest renewal;
  renewal.identifiers = model::ParseIdentifiers({"a.example.org"});
  renewal.renew = true;
  const auto job = jobs_->Submit(renewal);
  EXPECT_EQ(Deleted(json::Value::Object({{"type", "internal"}, {"obsolete", true}})),
            R"(["b.example.org"])");
  EXPECT_TRUE(IsInStore("a.example.org"));
  ca_.mood = FakeCa::Mood::kIssuing;
  job->Wait(Millis(60'000), nullptr, {});
}

TEST_F(CertificatesTest, DeletesAnUploadByItsPathAndTheOtherStays) {
  Hold({{"www.example.org"}});
  Hold({{"www.example.org"}, Origin::kUpload});
  EXPECT_EQ(Listed().size(), 2u);
  const std::string path = "custom_certificates/www.example.org.crt";
  EXPECT_EQ(Deleted(json::Value::Object({{"type", "custom"}, {"path", path}})),
            R"(["www.example.org"])");
  EXPECT_EQ(ListedFor("www.example.org").String("type"), "internal");
}

TEST_F(CertificatesTest, WhatIsNotThereIsNotFound) {
  const std::string serial = Hold({{"up.example.org"}, Origin::kUpload}).current->serial_hex;
  const struct {
    std::string field, value;
  } kTable[] = {{"serial", "1"},  {"serial", ""},        {"serial", "no serial"},
                {"serial", serial}, {"path", "/etc/passwd"}, {"path", ""},
                {"path", "custom_certificates/.crt"},
                {"path", "custom_certificates/../up.example.org.crt"}};
  for (const auto& row : kTable) {
    const char* type = row.field == "path" ? "custom" : "internal";
    const json::Value input = json::Value::Object({{"type", type}, {row.field, row.value}});
    const Result result = Run("delete-certificate", json::Write(input));
    EXPECT_EQ(result.exit_code, 2) << json::Write(input);
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("error"), "certificate_not_found");
    EXPECT_EQ(violation.String("field"), row.field);
    EXPECT_EQ(violation.String("parameter"), row.field);
    EXPECT_EQ(violation.String("value"), row.value);
  }
}

TEST_F(CertificatesTest, ChecksItsInput) {
  for (const char* bad :
       {"{}", R"({"type":"internal"})", R"({"type":"custom"})", R"({"type":"custom","serial":"1"})",
        R"({"type":"internal","path":"x"})", R"({"type":"internal","serial":1})",
        R"({"type":"internal","obsolete":false})", R"({"type":"other","serial":"1"})",
        R"({"type":"internal","serial":"1","obsolete":true})",
        R"({"type":"internal","serial":"1","more":1})"}) {
    EXPECT_EQ(Run("delete-certificate", bad).exit_code, 10) << bad;
  }
  EXPECT_EQ(Run("list-certificates", R"({"more":1})").exit_code, 10);
  for (const char* nothing : {"", "null", "\"\"", "{}"}) {
    EXPECT_EQ(Run("list-certificates", nothing).exit_code, 0) << nothing;
  }
}

}  // namespace
}  // namespace certwright::actions

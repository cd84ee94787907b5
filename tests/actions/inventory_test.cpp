// list, show, delete, export and issue.
#include "certwright/base/encoding.h"
#include "certwright/export/bundle.h"
#include "certwright/store/orders.h"
#include "certwright/store/renewals.h"
#include "certwright/store/routes.h"
#include "fixture.h"
#include "handler.h"

namespace certwright::actions {
namespace {

using model::Origin;
using testing::ElementsAre;
using testing::HasSubstr;

class InventoryTest : public ActionsTest {
 protected:
  static std::string Meaning(const std::string& text) {
    return json::Write(json::Value::Object({{"certificate", text}}));
  }
  std::vector<std::string> Covered(const std::string& text) {
    return Output("show", Meaning(text)).Strings("names");
  }
  // When the first one is renewed, as list or plan says it.
  std::string Shown(const std::string& action) {
    const json::Value first = Output(action, "")["certificates"].Items()[0];
    return first.String(action == "plan" ? "renew_at" : "next_renewal");
  }
};

TEST(Validity, IsExpiringInTheLastThirtyDaysOrTheLastThird) {
  const struct {
    const char* name;
    UnixSeconds from, to;
    const char* expected;
  } kTable[] = {
      {"new, 90 days", kNow, kNow + 90 * kDay, "valid"},
      {"90 days, 30 days and a second left", kNow - 60 * kDay + 1, kNow + 30 * kDay + 1, "valid"},
      {"90 days, 30 days left", kNow - 60 * kDay, kNow + 30 * kDay, "expiring"},
      {"a year, 31 days left", kNow - 334 * kDay, kNow + 31 * kDay, "valid"},
      {"a year, 29 days left", kNow - 336 * kDay, kNow + 29 * kDay, "expiring"},
      {"6 days, 2 days and a second left", kNow - 4 * kDay + 1, kNow + 2 * kDay + 1, "valid"},
      {"6 days, 2 days left", kNow - 4 * kDay, kNow + 2 * kDay, "expiring"},
      {"89 days, 29 days left", kNow - 60 * kDay, kNow + 29 * kDay, "expiring"},
      {"89 days, 29.7 days left", kNow - 89 * kDay + kDay * 297 / 10, kNow + kDay * 297 / 10,
       "valid"},
      {"the last second", kNow - 90 * kDay, kNow + 1, "expiring"},
      {"over", kNow - 90 * kDay, kNow, "expired"},
      {"long over", kNow - 900 * kDay, kNow - 800 * kDay, "expired"},
      {"not yet valid", kNow + 1, kNow + 90 * kDay, "expired"},
      {"begins now", kNow, kNow + 1000 * kDay, "valid"},
  };
  for (const auto& row : kTable) {
    model::CertificateVersion version;
    version.not_before = row.from;
    version.not_after = row.to;
    EXPECT_EQ(Validity(version, kNow), row.expected) << row.name;
  }
}

TEST_F(InventoryTest, ListTellsHeldAndMissingApart) {
  EXPECT_EQ(json::Write(Output("list", "")), R"({"certificates":[],"missing":[]})");
  Hold({{"b.example.org", "a.example.org"}});
  ca_.mood = FakeCa::Mood::kRefusing;
  ca_.words = "not today";
  Run("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1");
  const json::Value list = Output("list", "\"\"");
  ASSERT_EQ(list["certificates"].Items().size(), 1u);
  const json::Value& held = list["certificates"].Items()[0];
  EXPECT_THAT(held.Strings("names"), ElementsAre("a.example.org", "b.example.org"));
  EXPECT_EQ(held.String("validity"), "valid");
  EXPECT_EQ(held.String("next_renewal"), FormatUtc(renewal::Backstop(VersionOf("a.example.org,b.example.org"))));
  EXPECT_TRUE(held["last_error"].IsNull());
  ASSERT_EQ(list["missing"].Items().size(), 1u);
  const json::Value& missing = list["missing"].Items()[0];
  EXPECT_THAT(missing.Strings("names"), ElementsAre("mail.example.org"));
  EXPECT_EQ(missing.String("validity"), "missing");
  EXPECT_EQ(missing.String("owner"), "module/mail1");
  EXPECT_EQ(missing.Int("failures"), 1);
  EXPECT_THAT(missing["last_error"].String("detail"), HasSubstr("not today"));
  EXPECT_EQ(missing.String("last_error_at"), FormatUtc(kNow));
  EXPECT_EQ(missing.String("failure_class"), "input");
  EXPECT_EQ(missing["parked"], json::Value(false));
  EXPECT_TRUE(missing["preflight"].IsNull());
  EXPECT_TRUE(held["failure_class"].IsNull());
}

TEST_F(InventoryTest, ListShowAndPlanTellWhatFailsAndWhatWasSeenFromOutside) {
  const std::int64_t id = Hold({{"a.example.org"}}).certificate.id;
  Failure failure;
  failure.code = FailureCode::kRefused;
  failure.acme_type = "connection";
  failure.detail = "the CA's words";
  database_->Write([&](store::Session& session) {
    for (int i = 0; i < 10; ++i) {
      store::RecordFailure(session, id, failure, kNow + kDay, kNow);
    }
    store::SavePreflight(session, id, false, "connection refused", kNow + 60);
    store::SetNextAction(session, id, kNow + 3600, kNow);
  });
  for (const json::Value& told : {Output("list", "")["certificates"].Items()[0],
                                  Output("show", Meaning("a.example.org")),
                                  Output("plan", "")["certificates"].Items()[0]}) {
    EXPECT_EQ(told.Int("failures"), 10);
    EXPECT_EQ(told["last_error"].String("detail"), "the CA's words");
    EXPECT_EQ(told.String("last_error_at"), FormatUtc(kNow));
    EXPECT_EQ(told.String("failure_class"), "validation");
    EXPECT_TRUE(told.Bool("parked"));
    const json::Value& preflight = told["preflight"];
    EXPECT_EQ(preflight["good"], json::Value(false));
    EXPECT_EQ(preflight.String("saw"), "connection refused");
    EXPECT_EQ(preflight.String("at"), FormatUtc(kNow + 60));
    EXPECT_EQ(preflight.String("next_at"), FormatUtc(kNow + 3600));
  }
}

TEST_F(InventoryTest, AForcedRenewalThatFailedTellsTheTryThatListAndPlanKnow) {
  Hold({{"a.example.org"}});
  const struct {
    FakeCa::Mood mood;
    bool soon;
  } kTable[] = {{FakeCa::Mood::kRefusing, false},     // not due for long
                {FakeCa::Mood::kUnreachable, true}};  // its order waits
  for (const auto& row : kTable) {
    ca_.mood = row.mood;
    const json::Value renewed =
        Output("renew", R"({"certificates":["a.example.org"],"force":true})");
    const json::Value& one = renewed["certificates"].Items()[0];
    EXPECT_EQ(one.String("result"), "failed");
    EXPECT_EQ(one.String("renew_at") < FormatUtc(kNow + kDay), row.soon);
    EXPECT_EQ(one.String("renew_at"), Shown("list"));
    EXPECT_EQ(one.String("renew_at"), Shown("plan"));
  }
}

TEST_F(InventoryTest, ARenewalIsDeliveredWithoutWaitingForTheEndOfTheAction) {
  Hold({{"a.example.org"}, model::Origin::kAcme, kNow - 90 * kDay, kNow + 1});
  const std::size_t before = delivered_.size();
  Output("renew", R"({"certificates":["a.example.org"]})");
  EXPECT_EQ(delivered_.size() - before, 2u) << "the challenge route, and what was renewed";
}

TEST_F(InventoryTest, AnOrderThatWasLeftOpenIsTheNextToGoOn) {
  model::OrderRecord order;
  order.certificate_id = Hold({{"a.example.org"}}).certificate.id;
  order.directory = kDirectory;
  order.created_at = kNow;
  database_->Write([&](store::Session& session) { store::InsertOrder(session, order); });
  EXPECT_EQ(Shown("list"), FormatUtc(kNow));
  EXPECT_EQ(Shown("plan"), FormatUtc(kNow));
  EXPECT_EQ(Output("show", Meaning("a.example.org")).String("next_renewal"), FormatUtc(kNow));
  const json::Value planned = Output("plan", "")["certificates"].Items()[0];
  EXPECT_EQ(planned.String("reason"), "retry");
  EXPECT_TRUE(planned["budgets"].Items().empty()) << "its place was taken when it was made";
}

TEST_F(InventoryTest, NothingThatOnlyShowsHoldsAKey) {
  Hold({{"a.example.org"}});
  for (const Result& result : {Run("list", ""), Run("show", Meaning("a.example.org"))}) {
    EXPECT_EQ(json::Write(result.ToJson()).find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(json::Write(result.ToJson()).find("key_pem"), std::string::npos);
  }
}

TEST_F(InventoryTest, ACertificateIsMeantByNameSetSerialOrCover) {
  const auto single = Hold({{"www.example.org"}});
  const auto pair = Hold({{"www.example.org", "example.org"}});
  const auto wildcard = Hold({{"*.wild.example.org"}});
  const auto info = crypto::InspectChain(pair.current->chain_pem).front();
  std::string colons;
  for (std::size_t i = 0; i < info.serial_hex.size(); i += 2) {
    colons += (i ? ":" : "") + info.serial_hex.substr(i, 2);
  }
  std::string upper = colons;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const struct {
    const char* name;
    std::string text;
    const store::HeldCertificate& expected;
  } kTable[] = {
      {"exactly this name", "www.example.org", single},
      {"in capitals", "WWW.Example.org", single},
      {"exactly this set", "example.org,www.example.org", pair},
      {"the set in another order", "www.example.org,example.org", pair},
      {"a name that it covers", "example.org", pair},
      {"the wildcard itself", "*.wild.example.org", wildcard},
      {"covered by the wildcard", "x.wild.example.org", wildcard},
      {"serial, hex", info.serial_hex, pair},
      {"serial with colons", colons, pair},
      {"serial in capitals", upper, pair},
      {"serial, 0x", "0x" + info.serial_hex, pair},
      {"serial, decimal", info.serial_decimal, pair},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Covered(row.text), model::Names(row.expected.certificate.names)) << row.name;
  }
  for (const char* text : {"nobody.example.org", "wild.example.org", "x.y.wild.example.org", "ff",
                           "example.org,nobody.example.org", "-", "%", "*", ",", "\n"}) {
    const Result result = Run("show", Meaning(text));
    EXPECT_EQ(result.exit_code, 2) << text;
    ASSERT_TRUE(result.failure) << text;
    EXPECT_THAT(result.failure->advice, HasSubstr("certwright list")) << text;
  }
}

TEST_F(InventoryTest, ShowTellsChainHistoryAndOrders) {
  Output("issue", R"({"names":["a.example.org"]})");
  Output("issue", R"({"names":["a.example.org"],"force":true})");
  const json::Value shown = Output("show", Meaning("a.example.org"));
  EXPECT_EQ(shown["versions"].Items().size(), 2u);
  EXPECT_EQ(shown["versions"].Items()[0].String("serial"), shown.String("serial"));
  EXPECT_EQ(shown["orders"].Items().size(), 2u);
  EXPECT_EQ(shown["orders"].Items()[0].String("state"), "done");
  EXPECT_EQ(shown["orders"].Items()[0].String("ca"), kDirectory);
  EXPECT_EQ(shown["chain"].Items().size(), 1u);
  EXPECT_EQ(shown.String("ca"), kDirectory);
}

TEST_F(InventoryTest, DeleteRemovesItTellsItAndForgetsWhoAsked) {
  Output("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1");
  const std::size_t before = delivered_.size();
  EXPECT_THAT(Output("delete", Meaning("mail.example.org")).Strings("deleted"),
              ElementsAre("mail.example.org"));
  EXPECT_FALSE(IsInStore("mail.example.org"));
  EXPECT_EQ(delivered_.size(), before + 1);
  EXPECT_EQ(RequestOf("module/mail1"), "");
  const json::Value answer = Output("get-certificate", R"({"fqdn":"mail.example.org"})");
  EXPECT_EQ(answer.String("type"), "selfsigned");
  EXPECT_FALSE(answer.Bool("lets_encrypt"));
  EXPECT_EQ(Run("delete", Meaning("mail.example.org")).exit_code, 2);
}

TEST_F(InventoryTest, DeleteEndsWhatRoutesAndTheDefaultAskFor) {
  Hold({{"a.example.org"}, model::Origin::kAcme, kNow, kNow + 9 * kDay, model::kRouteOwner});
  model::Route route;
  route.instance = "m1";
  route.url = "http://127.0.0.1:2000";
  route.host = "a.example.org";
  route.lets_encrypt = true;
  database_->Write([&](store::Session& session) {
    store::SaveRoute(session, route, kNow);
    store::SaveDefaultNames(session, {"a.example.org"}, kNow);
  });
  Output("delete", Meaning("a.example.org"));
  chores_.RunOnce({});
  EXPECT_FALSE(IsInStore("a.example.org")) << "nobody asks for it again";
  EXPECT_EQ(json::Write(Output("get-route", R"({"instance":"m1"})")["lets_encrypt"]), "false");
  EXPECT_EQ(database_->Read(store::DefaultNameSet), "");
}

TEST_F(InventoryTest, DeleteTakesExactNamesOrASerialAndNamesTheCandidates) {
  const auto pair = Hold({{"www.example.org", "example.org"}});
  const auto wildcard = Hold({{"*.example.org"}});
  const std::string serial = pair.current->serial_hex;
  const struct {
    const char* name;
    std::string text;
    std::vector<std::string> candidates;
  } kTable[] = {
      {"one name of two", "example.org", {"example.org,www.example.org (serial " + serial + ")"}},
      {"covered twice",
       "www.example.org",
       {"example.org,www.example.org (serial " + serial + ")",
        "*.example.org (serial " + wildcard.current->serial_hex + ")"}},
      {"covered by the wildcard", "x.example.org", {"*.example.org"}},
      {"a larger set", "a.example.com,example.org,www.example.org", {"example.org,www"}},
  };
  for (const auto& row : kTable) {
    const Result result = Run("delete", Meaning(row.text));
    EXPECT_EQ(result.exit_code, 2) << row.name;
    for (const std::string& candidate : row.candidates) {
      EXPECT_THAT(result.failure.value_or(Failure{}).detail, HasSubstr(candidate)) << row.name;
    }
    EXPECT_THAT(result.failure.value_or(Failure{}).advice, HasSubstr("serial")) << row.name;
    EXPECT_TRUE(IsInStore("example.org,www.example.org")) << row.name;
    EXPECT_TRUE(IsInStore("*.example.org")) << row.name;
  }
  EXPECT_THAT(Run("delete", Meaning("nobody.example.com")).failure.value_or(Failure{}).advice,
              HasSubstr("certwright list"));
  Output("delete", Meaning("*.Example.org"));
  EXPECT_FALSE(IsInStore("*.example.org"));
  Output("delete", Meaning(serial));
  EXPECT_FALSE(IsInStore("example.org,www.example.org"));
}

TEST_F(InventoryTest, DeleteWaitsForAnIssuanceUnderWay) {
  ca_.mood = FakeCa::Mood::kSilent;
  Run("set-certificate", R"({"fqdn":"mail.example.org","sync_timeout":0})");
  for (int i = 0; i < 5000 && ca_.orders == 0; ++i) usleep(1000);
  const Result result = Run("delete", Meaning("mail.example.org"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("under way"));
  EXPECT_TRUE(IsInStore("mail.example.org"));
}

TEST_F(InventoryTest, ExportGivesEachFormat) {
  const auto held = Hold({{"a.example.org"}});
  for (const std::string& name : exports::FormatNames()) {
    const json::Value output = Output(
        "export", json::Write(json::Value::Object({{"certificate", "a.example.org"},
                                                   {"format", name}})));
    EXPECT_EQ(output.String("format"), name);
    EXPECT_EQ(output.String("serial"), held.current->serial_hex);
    EXPECT_EQ(output.Bool("has_key"), exports::HasKey(exports::FormatFromName(name))) << name;
    const std::string content = FromBase64(output.String("content")).value_or("");
    const bool shows_key = content.find("PRIVATE KEY") != std::string::npos;
    EXPECT_TRUE(!shows_key || output.Bool("has_key")) << name;
  }
  EXPECT_EQ(Output("export", Meaning("a.example.org")).String("format"), "pem");
}

TEST_F(InventoryTest, ExportOfWhatWasNeverObtainedIsNotFound) {
  ca_.mood = FakeCa::Mood::kRefusing;
  Run("set-certificate", R"({"fqdn":"mail.example.org"})");
  const Result result = Run("export", Meaning("mail.example.org"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.failure.value_or(Failure{}).advice, HasSubstr("certwright show"));
}

TEST_F(InventoryTest, IssueObtainsOnceUnlessForced) {
  const json::Value first = Output("issue", R"({"names":["b.example.org","A.example.org"]})");
  EXPECT_TRUE(first.Bool("issued"));
  EXPECT_TRUE(first["served"].IsNull()) << "Traefik is not used";
  EXPECT_THAT(first["certificate"].Strings("names"), ElementsAre("a.example.org", "b.example.org"));
  EXPECT_FALSE(Output("issue", R"({"names":["a.example.org","b.example.org"]})").Bool("issued"));
  EXPECT_EQ(ca_.orders, 1);
  const char* kForced = R"({"names":["a.example.org","b.example.org"],"force":true})";
  EXPECT_TRUE(Output("issue", kForced).Bool("issued"));
  EXPECT_EQ(ca_.orders, 2);
  EXPECT_TRUE(Output("issue", R"({"names":["c.example.org"],"dry_run":true})").Bool("dry_run"));
  EXPECT_EQ(ca_.orders, 2);
}

TEST_F(InventoryTest, IssueTellsWhatIsNotServedBesideTheSuccess) {
  deliver_works_ = false;
  const json::Value output = Output("issue", R"({"names":["a.example.org"]})");
  EXPECT_TRUE(output.Bool("issued"));
  EXPECT_EQ(output["served"], json::Value(false));
  EXPECT_THAT(output.String("warning"), HasSubstr("Traefik"));
}

}  // namespace
}  // namespace certwright::actions

// ack, and what status and metrics tell of consumers, exports and endpoints.
#include "certwright/store/served.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using ::testing::HasSubstr;

class ConsumersTest : public ActionsTest {
 protected:
  std::string Ack(const std::string& more) {
    return Cat(R"({"name":"a.example.org",)", more, "}");
  }
  std::string Serial(const store::HeldCertificate& held) {
    return Cat(R"("serial":")", held.current->serial_hex, "\"");
  }
  // "component state detail" of those whose name begins so.
  std::string StatusOf(const std::string& prefix) {
    const json::Value output = Output("status", "");
    std::string text;
    for (const json::Value& one : output["components"].Items()) {
      if (!one.String("component").starts_with(prefix)) continue;
      text += Cat(one.String("component"), " ", one.String("state"), " ", one.String("detail"), "\n");
    }
    return text;
  }
  std::string Metrics() { return Output("metrics", "").String("text"); }
};

TEST_F(ConsumersTest, AreToldOfWhenTheyAreBehindForAWhile) {
  const auto first = Hold({{"a.example.org"}, model::Origin::kAcme, kNow - kDay});
  EXPECT_FALSE(Output("ack", Ack(Serial(first)), "module/mail1").Bool("behind"));
  EXPECT_EQ(StatusOf("consumer"), "consumers ok 1 have what is held\n");
  EXPECT_THAT(Metrics(), HasSubstr("certwright_consumer_behind{consumer=\"module/mail1\","
                                   "name=\"a.example.org\"} 0\n"));
  const auto second = Hold({{"a.example.org"}, model::Origin::kAcme, kNow - 10});
  EXPECT_EQ(StatusOf("consumer"), "consumers ok 1 have what is held\n");  // not for long yet
  EXPECT_THAT(Metrics(), HasSubstr("name=\"a.example.org\"} 1\n"));
  clock_.now += 600;
  EXPECT_THAT(StatusOf("consumer:"),
              HasSubstr(Cat("consumer:module/mail1 warning behind for a.example.org: has loaded ",
                            first.current->serial_hex, ", and ", second.current->serial_hex)));
  Output("ack", Ack(Serial(second)), "module/mail1");
  EXPECT_EQ(StatusOf("consumer:"), "");
  Output("ack", Ack(R"("forget":true)"), "module/mail1");
  EXPECT_EQ(StatusOf("consumer"), "");
  EXPECT_EQ(Run("ack", Ack(R"("forget":true)"), "module/mail1").exit_code, 2);
}

TEST_F(ConsumersTest, FollowTheNameAndNotTheCertificate) {
  const auto issued = Hold({{"a.example.org"}});
  Output("ack", Ack(Serial(issued)), "module/mail1");
  const auto uploaded = Hold({{"a.example.org"}, model::Origin::kUpload});
  const json::Value output = Output("show", R"({"certificate":"a.example.org"})");
  const json::Array consumers = output["consumers"].Items();
  ASSERT_EQ(consumers.size(), 1U);
  EXPECT_TRUE(consumers[0].Bool("behind"));
  EXPECT_EQ(consumers[0].String("wanted_serial"), uploaded.current->serial_hex);
}

TEST_F(ConsumersTest, SayOnlyWhatCanBe) {
  const auto held = Hold({{"a.example.org"}});
  const auto other = Hold({{"b.example.org"}});
  const std::string caller = "module/mail1";
  EXPECT_EQ(Run("ack", Ack(Serial(other)), caller).exit_code, 2);
  EXPECT_EQ(Run("ack", Ack(R"("serial":"ff")"), caller).exit_code, 2);
  EXPECT_EQ(Run("ack", Ack(Serial(held))).exit_code, 64);  // nobody is named
  EXPECT_EQ(Run("ack", Ack(Cat(Serial(held), R"(,"consumer":"export:mail")"))).exit_code, 64);
  EXPECT_EQ(Run("ack", Ack(Cat(Serial(held), R"(,"consumer":"a b")"))).exit_code, 10);
  EXPECT_EQ(Run("ack", R"({"name":"a.example.org"})", caller).exit_code, 10);
  EXPECT_EQ(Run("ack", Ack(Serial(held)), caller, "reader").exit_code, 7);
  EXPECT_EQ(Run("ack", Ack(Serial(held)), caller, "routeadm").exit_code, 7);
  EXPECT_EQ(Run("ack", Ack(Serial(held)), caller, "certadm").exit_code, 0);
}

TEST_F(ConsumersTest, EndpointsAreOneLineEach) {
  database_->Write([&](store::Session& session) {
    for (const char* name : {"a.example.org", "b.example.org", "c.example.org"}) {
      store::ServedState state;
      state.endpoint = "traefik";
      state.name = name;
      state.state = name[0] == 'a' ? "served" : "other";
      state.problem = name[0] == 'a' ? "" : "shows another";
      state.since = kNow;
      store::SaveServed(session, state);
      state.endpoint = "smtp://mx:25";
      state.state = "unknown";
      store::SaveServed(session, state);
    }
  });
  EXPECT_EQ(StatusOf("served:"),
            "served:smtp://mx:25 ok shows what is held for 3 names\n"
            "served:traefik warning does not show what is held for 2 of 3 names; b.example.org since " +
                FormatUtc(kNow) + ": shows another\n");
  EXPECT_THAT(Metrics(), HasSubstr("certwright_served_mismatch{endpoint=\"traefik\"} 2\n"));
  EXPECT_THAT(Metrics(), HasSubstr("certwright_served_mismatch{endpoint=\"smtp://mx:25\"} 0\n"));
}

TEST_F(ConsumersTest, ExportsThatAreInStepAreOneLine) {
  Hold({{"a.example.org"}});
  std::vector<std::unique_ptr<exports::Keeper>> keepers;
  for (const char* name : {"a.example.org", "none.example.org"}) {
    exports::Target target;
    target.name = name;
    target.names = {name};
    target.path = temp_.path() / name;
    keepers.push_back(std::make_unique<exports::Keeper>(target, *database_, clock_));
    keepers.back()->Keep({});
  }
  Context context = MakeContext();
  context.exports = &keepers;
  runner_.emplace(context);
  EXPECT_EQ(StatusOf("export"),
            "export:none.example.org warning waiting: no certificate is held for none.example.org\n"
            "exports ok 1 in step\n");
  EXPECT_THAT(Metrics(), HasSubstr("certwright_export_in_step{export=\"a.example.org\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("certwright_export_in_step{export=\"none.example.org\"} 0\n"));
  runner_.emplace(MakeContext());
}

}  // namespace
}  // namespace certwright::actions

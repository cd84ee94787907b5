// What status and metrics say of a world that is well, and of one that is not.
#include "status.h"

#include "fixture.h"
#include "certwright/store/renewals.h"
#include "metrics.h"

namespace certwright::actions {
namespace {

using testing::HasSubstr;
using testing::Not;

class StatusTest : public ActionsTest {
 protected:
  StatusTest() {
    Context context = MakeContext();
    context.is_daemon = true;
    runner_.emplace(context);
  }

  // "ok due, warning failing": what is told of all but events and the daemon.
  std::string States() {
    std::string text;
    const json::Value status = Output("status", "");
    for (const json::Value& one : status["components"].Items()) {
      const std::string name = one.String("component");
      if (name == "daemon" || name == "events") continue;
      text += Cat(text.empty() ? "" : ", ", one.String("state"), " ", name);
    }
    return text;
  }
  std::string Detail(const std::string& component) {
    const json::Value status = Output("status", "");
    for (const json::Value& one : status["components"].Items()) {
      if (one.String("component") == component) return one.String("detail");
    }
    return "";
  }
  void SetNext(const store::HeldCertificate& held, UnixSeconds at) {
    database_->Write([&](store::Session& session) {
      store::SetNextAction(session, held.certificate.id, at, kNow);
    });
  }
};

TEST_F(StatusTest, OfNothingIsFine) {
  const json::Value status = Output("status", "");
  EXPECT_EQ(status.String("state"), "ok");
  EXPECT_EQ(States(), "ok due, ok failing, ok expiring");
}

TEST_F(StatusTest, WithoutADaemonIsAWarning) {
  runner_.emplace(MakeContext());
  EXPECT_EQ(Output("status", "").String("state"), "warning");
}

TEST_F(StatusTest, WhatEndsIsLateAndThenCritical) {
  Hold({{"good.example.org"}});
  EXPECT_EQ(States(), "ok due, ok failing, ok expiring");
  Hold({{"late.example.org"}, model::Origin::kAcme, kNow - 77 * kDay, kNow + 23 * kDay});
  EXPECT_EQ(States(), "ok due, ok failing, warning expiring");
  EXPECT_THAT(Detail("expiring"), HasSubstr("late.example.org: valid until "));
  Hold({{"over.example.org"}, model::Origin::kUpload, kNow - 90 * kDay, kNow - kDay});
  EXPECT_EQ(States(), "warning due, ok failing, critical expiring");
  EXPECT_THAT(Detail("expiring"), HasSubstr("over.example.org; late.example.org: expired "));
}

TEST_F(StatusTest, WhatIsDueForLongIsAWarning) {
  const auto held = Hold({{"a.example.org"}});
  SetNext(held, kNow - 600);
  EXPECT_EQ(States(), "ok due, ok failing, ok expiring");
  EXPECT_THAT(Detail("due"), HasSubstr("1 certificate is due"));
  SetNext(held, kNow - 7200);
  EXPECT_EQ(States(), "warning due, ok failing, ok expiring");
}

TEST_F(StatusTest, WhatFailsIsNamedWithTheLastWords) {
  for (int i = 0; i < 5; ++i) {
    const auto held = Hold({{Cat("a", i, ".example.org")}});
    Failure failure;
    failure.code = FailureCode::kNetwork;
    failure.detail = "cut off";
    database_->Write([&](store::Session& session) {
      store::RecordFailure(session, held.certificate.id, failure, kNow + 60, kNow);
    });
  }
  EXPECT_EQ(States(), "ok due, warning failing, ok expiring");
  EXPECT_THAT(Detail("failing"), HasSubstr("and 2 more: once: cut off"));
  EXPECT_THAT(Output("metrics", "").String("text"),
              HasSubstr("certwright_certificates_failing{class=\"network\"} 5\n"));
}

TEST_F(StatusTest, AHandlerThatFailsIsALineOfItsOwn) {
  database_->Write([](store::Session& session) {
    store::AppendEvent(session, "hosts-changed", "set", {"a.example.org"}, kNow);
    store::SavePosition(session, "handler:hosts-changed/one", 0, kNow);
    store::SavePosition(session, "webhook:two", 0, kNow);
    store::RecordDeliveryFailure(session, "handler:hosts-changed/one", "exit code 1: no", kNow + 8,
                                 kNow - 60);
  });
  EXPECT_THAT(States(), HasSubstr("warning handler:hosts-changed/one"));
  EXPECT_THAT(Detail("handler:hosts-changed/one"), HasSubstr("1 event behind"));
  EXPECT_THAT(Detail("handler:hosts-changed/one"), HasSubstr("exit code 1: no"));
  EXPECT_THAT(Detail("events"), HasSubstr("1 event behind"));
  const std::string metrics = Output("metrics", "").String("text");
  EXPECT_THAT(metrics, HasSubstr(
      "certwright_handler_failures{handler=\"handler:hosts-changed/one\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("certwright_handler_events_behind{handler=\"webhook:two\"} 1\n"));
}

TEST_F(StatusTest, AsksOfAllCertificatesByIndexesOnly) {
  for (int i = 0; i < 20; ++i) Hold({{Cat("a", i, ".example.org")}});
  Output("metrics", "");
  database_->TakeEffort();
  Output("metrics", "");
  const auto effort = database_->TakeEffort();
  EXPECT_LE(effort.full_scan_steps, 2 * 20) << "the index of ends, for metrics and for status";
  EXPECT_EQ(effort.sorts, 0);
}

TEST(MetricText, EscapesWhatLabelsMayNotHold) {
  MetricText out;
  out.Begin("certwright_x", "gauge", "About x.");
  out.Sample({{"a", "q\"b\\n\n\x1b"}, {"b", ""}}, -1);
  out.Sample({}, 2);
  EXPECT_EQ(out.text(),
            "# HELP certwright_x About x.\n# TYPE certwright_x gauge\n"
            "certwright_x{a=\"q\\\"b\\\\n ?\",b=\"\"} -1\ncertwright_x 2\n");
}

}  // namespace
}  // namespace certwright::actions

// A second CA: turned to when the first is down or its limits are spent, and for nothing else.
#include "fixture.h"

namespace certwright::issue {
namespace {

constexpr char kOther[] = "https://other.test/directory";

class FallbackTest : public IssueTest {
 protected:
  FallbackTest() {
    fallbacks_ = {{kOther, &other_}};
    Restart();
  }
  void GoDown(FakeCa& ca) {
    ca.before = [](const Seen&) -> std::optional<http::Response> {
      throw Error(NetworkFailure());
    };
  }
  static ObtainRequest Renewal(const std::vector<std::string>& names) {
    ObtainRequest request = Wish(names);
    request.renew = true;
    return request;
  }
  std::string IssuerOf(const std::string& name_set) { return Held(name_set).current->ca; }

  FakeCa other_;
};

TEST_F(FallbackTest, IsNotAskedWhereTheFirstWorks) {
  Obtain({"a.example.org"});
  EXPECT_EQ(IssuerOf("a.example.org"), kDirectoryUrl);
  EXPECT_TRUE(other_.Requests().empty());
}

struct Reason {
  const char* name;
  FailureCode code;
  http::Response answer;
};

TEST_F(FallbackTest, IsAskedForTheCasFaultsOnly) {
  const http::Headers later = {{"retry-after", "7200"}};
  const std::vector<Reason> rows = {
      {"its own fault", FailureCode::kServer, ProblemAnswer(500, "serverInternal", "ill")},
      {"down for repair", FailureCode::kServer, ProblemAnswer(503, "serverInternal", "later", later)},
      {"its limits", FailureCode::kRateLimited, ProblemAnswer(429, "rateLimited", "many", later)},
      {"a proxy's page", FailureCode::kProtocol, acme::testing::HtmlAnswer()},
      {"a name that it refuses", FailureCode::kRefused,
       ProblemAnswer(400, "rejectedIdentifier", "no")},
      {"what we sent", FailureCode::kRefused, ProblemAnswer(400, "malformed", "what?")},
  };
  for (const Reason& row : rows) {
    SCOPED_TRACE(row.name);
    SetUpAgain();
    const int before = other_.Count("newOrder");
    Answers("newOrder", row.answer);
    const bool turned = row.code != FailureCode::kRefused;
    if (turned) {
      Obtain({"a.example.org"});
      EXPECT_EQ(IssuerOf("a.example.org"), kOther);
    } else {
      EXPECT_EQ(Fails({"a.example.org"}).code, row.code);
    }
    EXPECT_EQ(other_.Count("newOrder") - before, turned ? 1 : 0);
  }
}

TEST_F(FallbackTest, HasItsOwnAccountAndProfile) {
  fallbacks_ = {{kOther, &other_, "classic"}};
  Restart();
  GoDown(ca_);
  ObtainRequest request = Wish({"a.example.org"});
  request.wish.profile = "of-the-first";
  Obtain(request);
  EXPECT_EQ(other_.Of("newOrder").at(0).payload.String("profile"), "classic");
  Read([](store::Session& session) {
    const auto own = store::FindAccount(session, kOther);
    ASSERT_TRUE(own);
    EXPECT_FALSE(own->url.empty());
    EXPECT_FALSE(store::FindAccount(session, kDirectoryUrl)) << "nobody could ask it";
  });
}

TEST_F(FallbackTest, IsLeftAgainAtTheNextRenewal) {
  GoDown(ca_);
  Obtain({"a.example.org"});
  ca_.before = nullptr;
  Pass(60 * kDay);
  ca_.valid_from = clock_.Now() - 3600;
  ca_.valid_to = clock_.Now() + 90 * kDay;
  Obtain(Renewal({"a.example.org"}));
  EXPECT_EQ(IssuerOf("a.example.org"), kDirectoryUrl);
  EXPECT_TRUE(ca_.Of("newOrder").back().payload["replaces"].IsNull()) << "it is not of this CA";
}

TEST_F(FallbackTest, WaitsWhileTheCertificateIsGoodForLong) {
  Obtain({"a.example.org"});
  GoDown(ca_);
  for (int failures = 1; failures <= 2; ++failures) {
    EXPECT_EQ(Fails(Renewal({"a.example.org"})).code, FailureCode::kNetwork);
    EXPECT_TRUE(other_.Requests().empty());
  }
  Obtain(Renewal({"a.example.org"}));
  EXPECT_EQ(IssuerOf("a.example.org"), kOther);
}

TEST_F(FallbackTest, DoesNotWaitForATimeThatComesTooLate) {
  const struct {
    const char* name;
    UnixSeconds age;  // of a certificate of six days
    const char* retry_after;
    bool waits;
  } kTable[] = {{"two days are left then", 3 * kDay, "86400", true},
                {"a sixth is left then", 4 * kDay, "86400", false},
                {"soon enough", 4 * kDay, "3600", true}};
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.name);
    SetUpAgain();
    ca_.valid_to = kNow + 6 * kDay;
    Obtain({"a.example.org"});
    Pass(row.age);
    other_.valid_from = clock_.Now() - 3600;
    other_.valid_to = clock_.Now() + 6 * kDay;
    Answers("newOrder", ProblemAnswer(429, "rateLimited", "many",
                                      {{"retry-after", row.retry_after}}));
    if (row.waits) {
      EXPECT_EQ(Fails(Renewal({"a.example.org"})).code, FailureCode::kRateLimited);
    } else {
      Obtain(Renewal({"a.example.org"}));
      EXPECT_EQ(IssuerOf("a.example.org"), kOther);
    }
  }
}

TEST_F(FallbackTest, DoesNotWaitWhereTimeIsShort) {
  Obtain({"a.example.org"});
  GoDown(ca_);
  Pass(80 * kDay);
  other_.valid_from = clock_.Now() - 3600;
  other_.valid_to = clock_.Now() + 90 * kDay;
  Obtain(Renewal({"a.example.org"}));
  EXPECT_EQ(IssuerOf("a.example.org"), kOther);
}

TEST_F(FallbackTest, TheOrderUnderWayIsCarriedOnWhereItIs) {
  GoDown(ca_);
  other_.before = [](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "authz") throw Error(NetworkFailure());
    return std::nullopt;
  };
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork);
  ca_.before = nullptr;
  other_.before = nullptr;
  Restart();
  Obtain({"a.example.org"});
  EXPECT_EQ(IssuerOf("a.example.org"), kOther);
  EXPECT_EQ(other_.Count("newOrder"), 1);
  EXPECT_EQ(ca_.Count("newOrder"), 0);
  for (const model::OrderRecord& order : Orders("a.example.org")) {
    EXPECT_NE(order.state, model::OrderState::kCreating) << "what the first never got is given up";
  }
}

TEST_F(FallbackTest, AFinalizedOrderIsNotLeft) {
  ca_.before = [](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "cert") throw Error(NetworkFailure());
    return std::nullopt;
  };
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork);
  const int asked = other_.Count("newOrder");
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork);
  EXPECT_EQ(other_.Count("newOrder"), asked);
  ca_.before = nullptr;
  Obtain({"a.example.org"});
  EXPECT_EQ(IssuerOf("a.example.org"), kDirectoryUrl);
  EXPECT_EQ(ca_.Count("newOrder"), 1);
}

TEST_F(FallbackTest, AnOutageDoesNotBurnTheFuse) {
  for (const bool all : {true, false}) {
    SCOPED_TRACE(all ? "nothing is answered" : "no order is taken");
    SetUpAgain();
    for (FakeCa* ca : {&ca_, &other_}) {
      ca->before = [all](const Seen& seen) -> std::optional<http::Response> {
        if (all || seen.kind == "newOrder") throw Error(NetworkFailure());
        return std::nullopt;
      };
    }
    for (int tries = 0; tries < 10; ++tries) {
      const Failure failure = Fails({"a.example.org"});
      EXPECT_EQ(failure.code, FailureCode::kNetwork);
      EXPECT_NE(failure.detail.find("; https://"), std::string::npos) << failure.detail;
      Pass(600);
    }
    EXPECT_EQ(Orders("a.example.org").size(), all ? 0u : 2u) << "one for each CA, carried on";
    EXPECT_EQ(Held("a.example.org").certificate.failures, 10) << "one a try, not a CA";
  }
}

TEST_F(FallbackTest, TheSoonerOfTwoPacesHolds) {
  const http::Headers later = {{"retry-after", "86400"}};
  Answers("newOrder", ProblemAnswer(429, "rateLimited", "many", later));
  GoDown(other_);
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork) << "the other may be back soon";

  SetUpAgain();
  other_.before = nullptr;
  for (int i = 0; i < 3; ++i) {
    ObtainRequest request = Wish({"b.example.org"});
    request.force = true;
    Obtain(request);
  }
  Answers("newOrder", ProblemAnswer(500, "serverInternal", "ill"));
  ObtainRequest request = Wish({"b.example.org"});
  request.renew = true;
  Pass(85 * kDay);
  Meddle("UPDATE order_ledger SET created_at = created_at + 85 * 86400");
  EXPECT_EQ(Fails(request).code, FailureCode::kServer) << "its order goes on, whatever the fuse says";
}

TEST_F(FallbackTest, CaaForbidsIt) {
  caa_ = [](const std::vector<model::Identifier>& names, const std::vector<std::string>&,
            const std::string&, std::stop_token) -> std::optional<std::string> {
    return names.front().value + " allows another CA only";
  };
  Restart();
  GoDown(ca_);
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kNetwork);
  EXPECT_NE(failure.detail.find("allows another CA only"), std::string::npos) << failure.detail;
  EXPECT_EQ(other_.Count("newOrder"), 0);
}

TEST_F(FallbackTest, WhatTheSecondRefusesIsWhatIsTold) {
  GoDown(ca_);
  other_.refused_names = {"a.example.org"};
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_NE(failure.detail.find("cannot be reached"), std::string::npos) << failure.detail;
  EXPECT_NE(failure.detail.find("validation failed"), std::string::npos) << failure.detail;
}

TEST_F(FallbackTest, ADryRunSaysWhichWouldBeAsked) {
  GoDown(ca_);
  const auto report = process_->obtainer.DryRun(Wish({"a.example.org"}), {});
  EXPECT_THAT(report, testing::Contains(testing::HasSubstr("does not answer")));
  EXPECT_THAT(report, testing::Contains(testing::HasSubstr(kOther)));
  EXPECT_EQ(other_.Count("newOrder"), 0);
}

TEST_F(FallbackTest, TheWindowIsAskedFromTheCaOfTheCertificate) {
  GoDown(ca_);
  const auto held = Obtain({"a.example.org"}).held;
  ca_.before = nullptr;
  other_.renewal_info = true;
  Restart();
  EXPECT_TRUE(process_->obtainer.AskWindow(*held.current, {}));
  EXPECT_EQ(other_.Count("renewalInfo"), 1);
  EXPECT_EQ(ca_.Count("renewalInfo"), 0);
}

}  // namespace
}  // namespace certwright::issue

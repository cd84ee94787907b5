// The ledger's place in an issuance: what the CA's limits leave decides whether it is asked at all.
#include <thread>

#include "certwright/issue/jobs.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using model::Limit;
using model::LimitName;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr UnixSeconds kHour = 3600;

class ObtainLedgerTest : public IssueTest {
 protected:
  ObtainLedgerTest() {
    Limit(50, 0);
    Restart();
  }
  // From the next start on.
  void Limit(std::int64_t per_domain, std::int64_t reserve) {
    limits_ = {{"Test CA",
                {kDirectoryUrl},
                {{LimitName::kOrders, 300, 3 * kHour, true, true, 0},
                 {LimitName::kCertificatesPerDomain, per_domain, 7 * kDay, true, true, reserve},
                 {LimitName::kCertificatesPerExactSet, 5, 7 * kDay, true, false, 0},
                 {LimitName::kFailedAuthorizations, 5, kHour, true, false, 0},
                 {LimitName::kConsecutiveFailures, 1152, 1152 * kDay, true, false, 0},
                 {LimitName::kAccounts, 2, 3 * kHour, false, false, 0}}}};
  }
  // -1: untouched.
  std::int64_t Left(LimitName name, const std::string& subject) {
    return Read([&](store::Session& session) {
      for (const LedgerEntry& entry : process_->ledger.Entries(session, clock_.Now())) {
        if (entry.limit.name == name && entry.subject == subject) return entry.room.left;
      }
      return std::int64_t{-1};
    });
  }
  std::int64_t LeftOfDomain() { return Left(LimitName::kCertificatesPerDomain, "example.org"); }
  std::int64_t LeftOfSet() { return Left(LimitName::kCertificatesPerExactSet, "a.example.org"); }
  std::int64_t LeftOfOrders() { return Left(LimitName::kOrders, ""); }
  static ObtainRequest Forced(const std::string& name) {
    ObtainRequest request = Wish({name});
    request.force = true;
    return request;
  }
  static ObtainRequest Renewal(const std::string& name) {
    ObtainRequest request = Wish({name});
    request.renew = true;
    return request;
  }
  static http::Response Limited(const std::string& words, const std::string& retry_after) {
    return ProblemAnswer(429, "rateLimited", words, {{"retry-after", retry_after}});
  }
};

TEST_F(ObtainLedgerTest, CountsWhatIsOrdered) {
  Obtain({"a.example.org"});
  EXPECT_EQ(LeftOfOrders(), 299);
  EXPECT_EQ(LeftOfDomain(), 49);
  EXPECT_EQ(LeftOfSet(), 4);
  EXPECT_EQ(Left(LimitName::kAccounts, ""), 1) << "the account too";
  EXPECT_THAT(Orders("a.example.org")[0].counted,
              ElementsAre(LimitName::kOrders, LimitName::kCertificatesPerDomain,
                          LimitName::kCertificatesPerExactSet));
  EXPECT_FALSE(Obtain({"a.example.org"}).issued);
  EXPECT_EQ(LeftOfOrders(), 299) << "nothing was ordered";
}

TEST_F(ObtainLedgerTest, RefusesBeforeTheCaIsAskedAndSaysWhenItPasses) {
  Limit(3, 0);
  Restart();
  for (const char* name : {"a.example.org", "b.example.org", "c.example.org"}) Obtain({name});
  ca_.Forget();
  const Failure failure = Fails({"d.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kRateLimited);
  EXPECT_THAT(failure.detail, HasSubstr("3 of 3 certificates for example.org"));
  EXPECT_EQ(failure.retry_at, kNow + 7 * kDay / 3);
  EXPECT_TRUE(ca_.Requests().empty());
  EXPECT_TRUE(Orders("d.example.org").empty());
  const auto wanted = Held("d.example.org").certificate;
  EXPECT_EQ(wanted.next_action_at, failure.retry_at) << "it is tried again then";
  EXPECT_EQ(wanted.last_error, failure);
  EXPECT_EQ(FailureOf([&] { process_->obtainer.DryRun(Wish({"d.example.org"}), {}); }).retry_at,
            failure.retry_at);
  Pass(failure.retry_at - clock_.Now() - 1);
  Fails({"d.example.org"});
  Pass(1);
  EXPECT_TRUE(Obtain({"d.example.org"}).issued) << "as was promised";
}

TEST_F(ObtainLedgerTest, OutlivesARestart) {
  Limit(1, 0);
  Restart();
  Obtain({"a.example.org"});
  Restart();
  EXPECT_EQ(Fails({"b.example.org"}).code, FailureCode::kRateLimited);
}

TEST_F(ObtainLedgerTest, KeepsRoomForRenewals) {
  Limit(10, 8);
  limits_[0].limits[1].exempts_same_set = limits_[0].limits[1].exempts_replaces = false;
  Restart();
  Obtain({"a.example.org"});
  Obtain({"b.example.org"});
  EXPECT_THAT(Fails({"c.example.org"}).detail, HasSubstr("the last 8 are kept for renewals"));
  EXPECT_TRUE(Obtain(Renewal("a.example.org")).issued);
  EXPECT_EQ(LeftOfDomain(), 7);
}

TEST_F(ObtainLedgerTest, ARenewalThatSaysSoTakesNothing) {
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  for (int i = 0; i < 3; ++i) Obtain(Renewal("a.example.org"));
  EXPECT_TRUE(Orders("a.example.org")[0].counted.empty());
  EXPECT_EQ(LeftOfSet(), 4) << "only the first one counted";
  EXPECT_EQ(LeftOfOrders(), 299);
}

TEST_F(ObtainLedgerTest, WhatTheCaDidNotTakeForARenewalCounts) {
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  ca_.refuses_replaces = ProblemAnswer(409, "alreadyReplaced", "by another order");
  Obtain(Renewal("a.example.org"));
  EXPECT_EQ(LeftOfSet(), 3);
  EXPECT_EQ(LeftOfDomain(), 49) << "as one of the same set it is exempt of this one";
}

TEST_F(ObtainLedgerTest, ForcePassesAndIsWrittenDown) {
  Limit(1, 0);
  Restart();
  Obtain({"a.example.org"});
  EXPECT_TRUE(Obtain(Forced("b.example.org")).issued);
  EXPECT_TRUE(Orders("b.example.org")[0].forced);
  EXPECT_FALSE(Orders("a.example.org")[0].forced);
  EXPECT_EQ(Fails({"c.example.org"}).retry_at, kNow + 2 * 7 * kDay) << "and counted";
}

TEST_F(ObtainLedgerTest, GivesBackWhatCameToNothing) {
  ca_.refused_names = {"a.example.org"};
  Fails({"a.example.org"});
  EXPECT_EQ(LeftOfOrders(), 299);
  EXPECT_EQ(LeftOfDomain(), -1);
  EXPECT_EQ(LeftOfSet(), -1);
  Answers("newOrder", ProblemAnswer(403, "caa", "CAA forbids it"));
  Fails({"a.example.org"});
  EXPECT_EQ(LeftOfOrders(), 299) << "the CA did not make that one";
}

TEST_F(ObtainLedgerTest, AnOrderThatIsOpenIsCountedOnce) {
  Cut("finalize");
  Fails({"a.example.org"});
  EXPECT_EQ(LeftOfSet(), 4);
  ca_.before = nullptr;
  Restart();
  Obtain({"a.example.org"});
  EXPECT_EQ(LeftOfSet(), 4);
}

TEST_F(ObtainLedgerTest, WhatIsGivenUpIsGivenBack) {
  Cut("newOrder");
  Fails({"a.example.org"});
  ca_.before = nullptr;
  ObtainRequest other = Wish({"a.example.org"});
  other.wish.key_type = model::KeyType::kEc384;
  Obtain(other);
  EXPECT_EQ(LeftOfSet(), 4);
}

TEST_F(ObtainLedgerTest, CountsTheNamesThatWereNotValidated) {
  ca_.refused_names = {"b.example.org"};
  for (int i = 0; i < 4; ++i) Fails({"a.example.org", "b.example.org"});
  EXPECT_EQ(Left(LimitName::kFailedAuthorizations, "b.example.org"), 1);
  EXPECT_EQ(Left(LimitName::kFailedAuthorizations, "a.example.org"), -1);
  EXPECT_EQ(Left(LimitName::kConsecutiveFailures, "b.example.org"), 1148);
  Fails({"b.example.org"});
  ca_.Forget();
  const Failure failure = Fails({"b.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kRateLimited);
  EXPECT_EQ(failure.retry_at, kNow + 720);
  EXPECT_TRUE(ca_.Requests().empty());
  ca_.refused_names.clear();
  Pass(720);
  Obtain({"b.example.org"});
  EXPECT_EQ(Left(LimitName::kConsecutiveFailures, "b.example.org"), -1) << "the row has ended";
  Answers("finalize", ProblemAnswer(403, "caa", "CAA forbids it"));
  Fails({"c.example.org"});
  EXPECT_EQ(Left(LimitName::kFailedAuthorizations, "c.example.org"), -1) << "it was validated";
}

TEST_F(ObtainLedgerTest, TheCasWordCorrectsIt) {
  Answers("newOrder",
          Limited("too many certificates (50) already issued for \"example.org\"", "7200"));
  EXPECT_THAT(Fails({"a.example.org"}).detail, HasSubstr("already issued"));
  EXPECT_EQ(LeftOfDomain(), 0);
  EXPECT_EQ(LeftOfOrders(), -1) << "the order was not made";
  ca_.Forget();
  for (const char* name : {"b.example.org", "a.example.org"}) {
    const Failure failure = Fails({name});
    EXPECT_THAT(failure.detail, HasSubstr("refused here")) << name;
    EXPECT_EQ(failure.retry_at, kNow + 7200) << name;
  }
  EXPECT_TRUE(ca_.Requests().empty()) << "the order that is kept is not sent again either";
  ca_.before = nullptr;
  Obtain({"a.example.net"});
  Pass(7200);
  EXPECT_TRUE(Obtain({"a.example.org"}).issued);
  EXPECT_EQ(Orders("a.example.org").size(), 1u) << "the same order";
  EXPECT_EQ(Fails({"b.example.org"}).retry_at, clock_.Now() + 12096) << "what came back is taken";
}

TEST_F(ObtainLedgerTest, AnAccountIsOneOfTheLimits) {
  limits_[0].limits[5].burst = 1;
  limits_[0].limits[5].window = kHour;
  Restart();
  Cut("account");
  Fails({"a.example.org"});
  ca_.Forget();
  ca_.before = nullptr;
  Answers("account", ProblemAnswer(400, "accountDoesNotExist", "none of ours"));
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kRateLimited);
  EXPECT_THAT(failure.detail, HasSubstr("1 of 1 new accounts"));
  EXPECT_EQ(ca_.Count("account"), 1) << "looked for, not registered";
}

TEST_F(ObtainLedgerTest, TheNextCaIsAskedWhereTheLimitsAreSpent) {
  Limit(1, 0);
  FakeCa other;
  fallbacks_ = {{"https://other.test/directory", &other}};
  Restart();
  Obtain({"a.example.org"});
  EXPECT_EQ(Obtain({"b.example.org"}).held.current->ca, "https://other.test/directory");
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(ObtainLedgerTest, OfManyAtOnceExactlyAsManyPassAsAreLeft) {
  constexpr int kJobs = 20;
  constexpr int kLeft = 5;
  Limit(kLeft, 0);
  Restart();
  Jobs jobs(process_->obtainer, clock_, kJobs);
  std::vector<std::shared_ptr<Job>> all;
  for (int i = 0; i < kJobs; ++i) all.push_back(jobs.Submit(Wish({Cat("n", i, ".example.org")})));
  int issued = 0;
  int refused = 0;
  for (const auto& job : all) {
    try {
      issued += job->Wait(std::chrono::hours(1), nullptr, {}).issued ? 1 : 0;
    } catch (const Error& error) {
      refused += error.failure().code == FailureCode::kRateLimited ? 1 : 0;
    }
  }
  EXPECT_EQ(issued, kLeft);
  EXPECT_EQ(refused, kJobs - kLeft);
  EXPECT_EQ(ca_.Count("newOrder"), kLeft);
  EXPECT_EQ(LeftOfDomain(), 0);
}

}  // namespace
}  // namespace certwright::issue

#include "certwright/issue/chores.h"

#include "fixture.h"

namespace certwright::issue {
namespace {

class ChoresTest : public IssueTest {
 protected:
  void RunOnce() {
    Revoker revoker(*process_->database, process_->authorities, process_->feed, clock_);
    Chores(*process_->database, process_->authorities, revoker, {}, clock_).RunOnce({});
  }
  std::size_t Leftovers() {
    return Read([](store::Session& session) { return store::ListLeftovers(session, 100).size(); });
  }
  // An order for two names of which one is refused while the other one is still looked at.
  void FailAnOrder() {
    ca_.before = [](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != "challenge") return std::nullopt;
      return ProblemAnswer(403, "unauthorized", "not this one");
    };
    Fails({"a.example.org", "b.example.org"});
    ca_.before = nullptr;
    ca_.Forget();
  }
};

TEST_F(ChoresTest, AuthorizationsOfAFailedOrderAreGivenUp) {
  FailAnOrder();
  EXPECT_EQ(ca_.At(0).statuses[0], "pending");
  EXPECT_EQ(Leftovers(), 1u);
  RunOnce();
  EXPECT_EQ(ca_.At(0).statuses[0], "deactivated");
  EXPECT_EQ(ca_.At(0).statuses[1], "deactivated");
  EXPECT_EQ(Leftovers(), 0u);
  ca_.Forget();
  RunOnce();
  EXPECT_EQ(ca_.Posts(), "") << "nothing is left to do";
}

TEST_F(ChoresTest, ThoseThatAreValidAreKept) {
  FailAnOrder();
  ca_.At(0).statuses[1] = "valid";
  RunOnce();
  EXPECT_EQ(ca_.At(0).statuses[0], "deactivated");
  EXPECT_EQ(ca_.At(0).statuses[1], "valid");
}

TEST_F(ChoresTest, AnOrderThatEndedWellLeavesNothing) {
  Obtain({"a.example.org"});
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_F(ChoresTest, AnOrderThatWasGivenUpLeavesThemToo) {
  Cut("challenge");
  Fails({"a.example.org"});
  EXPECT_EQ(Leftovers(), 0u) << "it is carried on";
  ca_.before = nullptr;
  ObtainRequest other = Wish({"a.example.org"});
  other.wish.key_type = model::KeyType::kEc384;
  Obtain(other);
  EXPECT_EQ(Leftovers(), 1u);
  RunOnce();
  EXPECT_EQ(ca_.At(0).statuses[0], "deactivated");
}

TEST_F(ChoresTest, WhatCannotBeReachedNowIsTriedLater) {
  FailAnOrder();
  Cut("authz");
  RunOnce();
  EXPECT_EQ(Leftovers(), 1u);
  EXPECT_EQ(ca_.Count("authz"), 1) << "the first failure ends it";
  ca_.before = nullptr;
  RunOnce();
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_F(ChoresTest, WhatTheCaRefusesIsLeftAsItIs) {
  FailAnOrder();
  Answers("authz", ProblemAnswer(404, "malformed", "no such authorization"));
  RunOnce();
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_F(ChoresTest, AfterAWeekTheyAreOverByThemselves) {
  FailAnOrder();
  Pass(8 * kDay);
  RunOnce();
  EXPECT_EQ(ca_.Posts(), "");
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_F(ChoresTest, CarryOnRevocationsThatWereCutOff) {
  const std::int64_t id = Obtain({"a.example.org"}).held.current->id;
  Revoker(*process_->database, process_->authorities, process_->feed, clock_)
      .Want(id, {"superseded"});
  Restart();
  RunOnce();
  EXPECT_EQ(ca_.Revoked().size(), 1u);
  EXPECT_EQ(Events().back().reason, "revoked");
}

}  // namespace
}  // namespace certwright::issue

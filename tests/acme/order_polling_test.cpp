// When an order is looked at again: at each fetch by the CA, when its Retry-After is up, else in
// growing steps.
#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OrderPollingTest : public FlowTest {
 protected:
  // The CA has validated every name `after` the beginning; gives when the order was polled. Both in
  // milliseconds.
  std::vector<int> PollsUntilValidated(int after) {
    std::vector<int> polls;
    ca().polls_pending = 1'000;
    ca().before = [&, after](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != "order") return std::nullopt;
      polls.push_back(Elapsed());
      if (Elapsed() >= after) ca().At(0).polls_left = 0;
      return std::nullopt;
    };
    ExpectDone();
    return polls;
  }
};

TEST_F(OrderPollingTest, PollsOnceWhenTheCaHasFetchedEveryToken) {
  UseNames(2);
  presenter_->fetches = {Millis(700)};
  EXPECT_THAT(PollsUntilValidated(700), ElementsAre(750));
  ASSERT_THAT(presenter_->Waits(), SizeIs(1));
  EXPECT_THAT(presenter_->Waits()[0].tokens, ElementsAre(FakeCa::Token(0, 0), FakeCa::Token(0, 1)));
  EXPECT_EQ(presenter_->Waits()[0].quiet, Millis(50));
}

TEST_F(OrderPollingTest, PollsOnceForFetchesThatComeTogether) {
  presenter_->fetches = {Millis(700), Millis(730), Millis(770)};
  EXPECT_THAT(PollsUntilValidated(770), ElementsAre(820));
}

TEST_F(OrderPollingTest, WaitsOnlyForTheNamesThatWereNotValidYet) {
  UseNames(2);
  ca().after = [&](const Seen& seen, http::Response&) {
    if (seen.kind == "newOrder") ca().At(0).statuses[0] = ca().At(0).challenges[0] = "valid";
  };
  ExpectDone();
  ASSERT_THAT(presenter_->Waits(), SizeIs(1));
  EXPECT_THAT(presenter_->Waits()[0].tokens, ElementsAre(FakeCa::Token(0, 1)));
}

TEST_F(OrderPollingTest, PollsSeldomWhereNobodyFetches) {
  presenter_->fetches = {};
  EXPECT_THAT(PollsUntilValidated(15'000), ElementsAre(3000, 8000, 13'000, 18'000));
  EXPECT_THAT(Pauses(), IsEmpty()) << "a fetch would have ended each wait";
}

TEST_F(OrderPollingTest, PollsInGrowingStepsWhereTheFetchWasNotTheEnd) {
  ca().polls_pending = 8;
  ExpectDone();
  EXPECT_THAT(Timeouts(), ElementsAre(3000, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000));
  EXPECT_EQ(ca().Count("order"), 9);
}

// A CA that looks from several places, seconds apart: the last one is the one that counts.
TEST_F(OrderPollingTest, PollsAtOnceAtEachNewFetch) {
  presenter_->fetches = {Millis(0), Millis(1500), Millis(3000)};
  EXPECT_THAT(PollsUntilValidated(3000), ElementsAre(50, 300, 800, 1550, 1800, 2300, 3050));
}

TEST_F(OrderPollingTest, LeavesAnOrderThatDoesNotGetOnToTheNextRun) {
  struct Row {
    const char* name;
    int pending;
    int processing;
    model::OrderState state;
  };
  for (const Row& row : {Row{"validating", 100'000, 0, model::OrderState::kValidating},
                         Row{"processing", 0, 100'000, model::OrderState::kProcessing}}) {
    SCOPED_TRACE(row.name);
    Reset();
    ca().polls_pending = row.pending;
    ca().polls_processing = row.processing;
    const std::optional<Failure> failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_THAT(failure->detail, ::testing::HasSubstr(Cat("15 minutes (it is ", row.name, ")")));
    EXPECT_TRUE(failure->transient);
    EXPECT_GE(failure->retry_at, clock_->Now() + 3600);
    EXPECT_EQ(order_.state, row.state);
  }
}

TEST_F(OrderPollingTest, TellsOnceThatTheCaHasFetched) {
  presenter_->fetches = {Millis(0), Millis(1500), Millis(3000)};
  PollsUntilValidated(3000);
  EXPECT_EQ(std::count(told_.begin(), told_.end(), "fetched"), 1);
}

TEST_F(OrderPollingTest, FollowsNoMoreThanTenFetches) {
  presenter_->fetches.clear();
  for (int i = 0; i < 1000; ++i) presenter_->fetches.push_back(Millis(200) * i);
  ca().polls_pending = 16;
  ExpectDone();
  EXPECT_THAT(presenter_->Waits(), SizeIs(10));
  EXPECT_THAT(Pauses(), ElementsAre(250, 500, 1000, 2000, 4000, 5000, 5000));
  EXPECT_EQ(ca().Count("order"), 17);
}

TEST_F(OrderPollingTest, TakesRetryAfterAsTheLimitOfAWait) {
  struct Row {
    const char* name;
    bool fetched;
    int retry_after;
    std::vector<int> timeouts;
  };
  const Row rows[] = {
      {"nobody came, none said", false, -1, {3000, 5000, 5000}},
      {"nobody came, nought", false, 0, {3000, 5000, 5000}},
      {"nobody came, short", false, 1, {3000, 3000, 3000}},
      {"nobody came, longer than ours", false, 7, {3000, 7000, 7000}},
      {"nobody came, the longest", false, 60, {3000, 60'000, 60'000}},
      {"nobody came, huge", false, 86'400, {3000, 60'000, 60'000}},
      {"fetched, none said", true, -1, {3000, 250, 500}},
      {"fetched, nought", true, 0, {3000, 250, 500}},
      {"fetched, short", true, 1, {3000, 1000, 1000}},
      {"fetched, longer than ours", true, 7, {3000, 7000, 7000}},
      {"fetched, huge", true, 2'000'000'000, {3000, 60'000, 60'000}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reset();
    if (!row.fetched) presenter_->fetches = {};
    ca().polls_pending = 2;
    ca().retry_after = row.retry_after;
    ExpectDone();
    EXPECT_THAT(Timeouts(), ElementsAreArray(row.timeouts));
  }
}

TEST_F(OrderPollingTest, IsWokenByAFetchThoughTheRetryAfterIsNotUp) {
  ca().retry_after = 30;
  presenter_->fetches = {Millis(10'000)};
  EXPECT_THAT(PollsUntilValidated(10'000), ElementsAre(3000, 10'050));

  Reset();
  ca().retry_after = 30;
  presenter_->fetches = {Millis(0), Millis(10'000)};
  EXPECT_THAT(PollsUntilValidated(10'000), ElementsAre(50, 10'050)) << "again";
}

TEST_F(OrderPollingTest, PollsWhenTheRetryAfterIsUpWhereNoFetchComes) {
  ca().retry_after = 30;
  EXPECT_THAT(PollsUntilValidated(20'000), ElementsAre(50, 30'050));
}

TEST_F(OrderPollingTest, LooksEarlyAfterFinalizeThenObeysRetryAfter) {
  struct Row {
    const char* name;
    int retry_after;
    std::vector<int> pauses;
  };
  const Row rows[] = {
      {"none said", -1, {8, 50, 250, 500, 1000, 2000, 4000, 5000}},
      {"nought", 0, {8, 50, 250, 500, 1000, 2000, 4000, 5000}},
      {"short", 3, {8, 3000, 3000, 3000, 3000, 3000, 3000, 3000}},
      {"huge", 3600, {8, 60'000, 60'000, 60'000, 60'000, 60'000, 60'000, 60'000}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reset();
    ca().valid_already = true;
    ca().polls_processing = 8;
    ca().retry_after = row.retry_after;
    ExpectDone();
    EXPECT_THAT(Pauses(), ElementsAreArray(row.pauses));
    EXPECT_EQ(ca().Count("order"), 8);
  }
}

TEST_F(OrderPollingTest, ObeysTheNewestRetryAfter) {
  ca().valid_already = true;
  ca().polls_processing = 3;
  ca().after = [&](const Seen& seen, http::Response& answer) {
    const char* const seconds[] = {"7", "9", "11"};  // of finalize and of each poll
    if (seen.kind != "finalize" && seen.kind != "order") return;
    answer.headers.emplace_back("retry-after", seconds[std::min(ca().Count("order"), 2)]);
  };
  ExpectDone();
  EXPECT_THAT(Pauses(), ElementsAre(8, 9000, 11'000));
}

}  // namespace
}  // namespace certwright::acme

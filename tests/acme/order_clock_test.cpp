// A clock that is wrong would have the certificate refused when it has come, and the CA's limits used
// up: nothing is ordered by it.
#include <ctime>

#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using model::OrderState;
using ::testing::HasSubstr;

class OrderClockTest : public FlowTest {
 protected:
  // The CA's clock shows ours plus `ahead`.
  void CaIsAhead(UnixSeconds ahead) {
    ca().after = [this, ahead](const Seen&, http::Response& answer) {
      const std::time_t time = clock_->Now() + ahead;
      std::tm parts{};
      char text[64];
      gmtime_r(&time, &parts);
      std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
      answer.headers.emplace_back("date", text);
    };
  }
};

TEST_F(OrderClockTest, OrdersWithinADayOfTheCasClock) {
  for (const UnixSeconds ahead : {UnixSeconds{0}, 23 * UnixSeconds{3600}, -23 * UnixSeconds{3600}}) {
    Reset();
    CaIsAhead(ahead);
    ExpectDone();
  }
}

TEST_F(OrderClockTest, OrdersNothingBeyondAndKeepsTheOrder) {
  const struct {
    UnixSeconds ahead;
    const char* said;
  } rows[] = {{2 * kDay, "48 hours behind"}, {-365 * kDay, "8760 hours ahead of"}};
  for (const auto& row : rows) {
    Reset();
    CaIsAhead(row.ahead);
    const auto failure = Run();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, FailureCode::kConfig);
    EXPECT_THAT(failure->detail, HasSubstr(row.said));
    EXPECT_EQ(ca().Count("newOrder"), 0);
    EXPECT_EQ(order_.state, OrderState::kCreating);
    CaIsAhead(0);
    EXPECT_EQ(Run(), std::nullopt) << "the clock is right again";
  }
}

TEST_F(OrderClockTest, AsksAnewAfterASuspend) {
  CaIsAhead(0);
  ExpectDone();
  // The wall clock went on for two weeks, what counts the time awake did not.
  clock_->SetAhead(14 * kDay);
  order_ = {};
  order_.directory = kDirectoryUrl;
  order_.key_pem = key_.ToPkcs8Pem();
  UseNames(1);
  ca().valid_from += 14 * kDay;
  ca().valid_to += 14 * kDay;
  ExpectDone();
}

TEST_F(OrderClockTest, AsksNothingOfACaWithoutADate) {
  ExpectDone();
  EXPECT_EQ(ca().Count("nonce"), 1);
}

}  // namespace
}  // namespace certwright::acme

// ledger, and what plan says of the limits.
#include "certwright/store/orders.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using testing::HasSubstr;

class LedgerTest : public ActionsTest {
 protected:
  static const json::Value& Of(const json::Value& list, const std::string& key,
                               const std::string& value) {
    static const json::Value kNone;
    for (const json::Value& entry : list.Items()) {
      if (entry.String(key) == value) return entry;
    }
    return kNone;
  }
};

TEST_F(LedgerTest, ShowsTheLimitsWhatIsUsedAndTheFuse) {
  Output("issue", R"({"names":["a.example.org"]})");
  Output("issue", R"({"names":["a.example.org"],"force":true})");
  const json::Value output = Output("ledger", "");
  ASSERT_EQ(output["cas"].Items().size(), 1u);
  const json::Value ca = output["cas"].Items()[0];
  EXPECT_EQ(ca.String("ca"), kDirectory);
  EXPECT_EQ(ca.String("name"), "Test CA");
  const json::Value orders = Of(ca["limits"], "limit", "orders");
  EXPECT_EQ(orders.Int("burst"), 300);
  EXPECT_EQ(orders.Int("one_each"), 36);
  EXPECT_EQ(orders.Int("kept_for_renewals"), 30);
  EXPECT_EQ(orders.Strings("exempt"), (std::vector<std::string>{"replaces", "same-set"}));
  const json::Value domain = Of(ca["used"], "limit", "certificates-per-domain");
  EXPECT_EQ(domain.String("subject"), "example.org");
  EXPECT_LT(domain.Int("left"), 50);
  EXPECT_TRUE(domain["next_at"].IsNull());
  EXPECT_GT(domain.String("full_at"), FormatUtc(kNow));
  const json::Value fuse = output["fuse"];
  EXPECT_EQ(fuse.Int("limit"), 4);
  ASSERT_EQ(fuse["sets"].Items().size(), 1u);
  EXPECT_EQ(fuse["sets"].Items()[0].Int("used"), 2);
  EXPECT_EQ(fuse["sets"].Items()[0].Int("forced"), 1);
  EXPECT_TRUE(fuse["sets"].Items()[0]["free_at"].IsNull());
}

TEST_F(LedgerTest, SaysWhenTheFuseLetsTheNextOneThrough) {
  for (int i = 0; i < 4; ++i) {
    Output("issue", R"({"names":["a.example.org"],"force":true})");
    clock_.now += 100;
  }
  const json::Value set = Output("ledger", "")["fuse"]["sets"].Items()[0];
  EXPECT_EQ(set.String("free_at"), FormatUtc(kNow + 7 * kDay));
}

TEST_F(LedgerTest, PlanSaysWhatEachOrderNeedsAndWhichOneRunsIntoALimit) {
  // Of a day: their jitter is little more than an hour.
  for (int i = 0; i < 52; ++i) {
    Hold({{Cat("n", i, ".example.org")}, model::Origin::kAcme, kNow - 3600, kNow + 23 * 3600});
  }
  Hold({{"up.example.org"}, model::Origin::kUpload});
  const json::Array planned = Output("plan", "")["certificates"].Items();
  ASSERT_EQ(planned.size(), 53u);
  const json::Value& first = planned.front();
  EXPECT_FALSE(Of(first["budgets"], "limit", "certificates-per-domain").Bool("exempt", true));
  EXPECT_TRUE(first["shortage"].IsNull());
  int short_of_it = 0;
  for (const json::Value& one : planned) {
    if (!one["shortage"].IsObject()) continue;
    ++short_of_it;
    EXPECT_THAT(one["shortage"].String("text"), HasSubstr("50 of 50 certificates for example.org"));
    EXPECT_GT(one["shortage"].String("passes_at"), one.String("renew_at"));
  }
  EXPECT_EQ(short_of_it, 2) << "one each three hours comes back";
  EXPECT_TRUE(planned.back()["budgets"].Items().empty()) << "never ordered";
}

}  // namespace
}  // namespace certwright::actions

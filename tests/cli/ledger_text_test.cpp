#include "ledger_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/text.h"

namespace certwright::cli {
namespace {

using testing::HasSubstr;

constexpr char kLedger[] = R"({
  "cas": [
    {"ca": "https://ca.test/dir", "name": "Test CA",
     "limits": [
       {"limit": "orders", "burst": 300, "window": 10800, "one_each": 36, "kept_for_renewals": 30,
        "exempt": ["replaces", "same-set"]},
       {"limit": "certificates-per-domain", "burst": 50, "window": 604800, "one_each": 12096,
        "kept_for_renewals": 0, "exempt": []},
       {"limit": "accounts", "burst": 10, "window": 10800, "one_each": 1080, "kept_for_renewals": 0,
        "exempt": []}],
     "used": [
       {"limit": "orders", "subject": "", "burst": 300, "left": 299, "next_at": null,
        "full_at": "2027-01-15T08:00:36Z"},
       {"limit": "certificates-per-domain", "subject": "example.org", "burst": 50, "left": 0,
        "next_at": "2027-01-15T11:00:00Z", "full_at": "2027-01-22T08:00:00Z"}]},
    {"ca": "https://other.test/dir", "name": "", "limits": [], "used": []}],
  "fuse": {"limit": 4, "window": 604800, "sets": [
    {"names": ["a.example.org", "b.example.org"], "used": 4, "forced": 1,
     "free_at": "2027-01-16T08:00:00Z"}]}})";

TEST(LedgerText, IsATableForEachCaAndOneOfTheFuse) {
  EXPECT_EQ(
      LedgerText(json::Parse(kLedger)),
      "Test CA, https://ca.test/dir\n"
      "LIMIT                    FOR          LEFT        ONE EACH  KEPT  NEXT                  "
      "ALL BACK              EXEMPT\n"
      "orders                   (all)        299 of 300  36 s      30    now                   "
      "2027-01-15T08:00:36Z  replaces, same-set\n"
      "certificates-per-domain  example.org  0 of 50     3.4 h     -     2027-01-15T11:00:00Z  "
      "2027-01-22T08:00:00Z  \n"
      "accounts                 -            10 of 10    18 min    -     now                   "
      "now                   \n"
      "\n"
      "https://other.test/dir: no limits are known\n"
      "\n"
      "The fuse: 4 orders for one exact set of names in 7 d\n"
      "NAMES                        USED    FORCED  NEXT\n"
      "a.example.org,b.example.org  4 of 4  1       2027-01-16T08:00:00Z\n");
}

TEST(BudgetsText, SaysWhatAnOrderNeedsAndWhereItRunsIntoALimit) {
  const json::Value planned = json::Parse(R"({
    "budgets": [{"limit": "orders", "subject": "", "exempt": false},
                {"limit": "certificates-per-exact-set", "subject": "a.example.org", "exempt": false},
                {"limit": "certificates-per-domain", "subject": "example.org", "exempt": true}],
    "shortage": {"limit": "orders", "subject": "", "text": "300 of 300 new orders are used",
                 "passes_at": "2027-01-15T08:00:36Z"}})");
  EXPECT_EQ(BudgetsText(planned),
            "  needs one of orders, certificates-per-exact-set\n"
            "  is exempt from certificates-per-domain of example.org\n"
            "  WARNING: would be refused then: 300 of 300 new orders are used; passes at "
            "2027-01-15T08:00:36Z\n");
  EXPECT_EQ(BudgetsText(json::Parse(R"({"budgets": [], "shortage": null})")), "");
}

}  // namespace
}  // namespace certwright::cli

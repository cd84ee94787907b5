#include "ledger_text.h"

#include <algorithm>
#include <vector>

#include "certwright/base/text.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Duration(std::int64_t seconds) {
  const struct {
    std::int64_t seconds;
    const char* unit;
  } kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};
  for (const auto& unit : kUnits) {
    if (seconds < unit.seconds) continue;
    const std::int64_t tenths = (seconds * 10 + unit.seconds / 2) / unit.seconds;
    const std::string whole = Cat(tenths / 10);
    return Cat(tenths % 10 == 0 ? whole : Cat(whole, ".", tenths % 10), " ", unit.unit);
  }
  return Cat(seconds, " s");
}

std::string Left(std::int64_t left, std::int64_t burst) { return Cat(left, " of ", burst); }

std::string Subject(const json::Value& entry) {
  const std::string subject = entry.String("subject");
  return subject.empty() ? "(all)" : subject;
}

void AddLimit(Rows& rows, const json::Value& ca, const json::Value& limit) {
  const std::string name = limit.String("limit");
  const std::int64_t burst = limit.Int("burst");
  const std::int64_t kept = limit.Int("kept_for_renewals");
  const std::string each = Duration(limit.Int("one_each"));
  const std::string reserve = kept > 0 ? Cat(kept) : "-";
  const std::string exempt = Join(limit.Strings("exempt"), ", ");
  bool used = false;
  for (const json::Value& entry : ca["used"].Items()) {
    if (entry.String("limit") != name) continue;
    used = true;
    rows.push_back({name, Subject(entry), Left(entry.Int("left"), burst), each, reserve,
                    entry.String("next_at", "now"), entry.String("full_at", "now"), exempt});
  }
  if (!used) rows.push_back({name, "-", Left(burst, burst), each, reserve, "now", "now", exempt});
}

std::string CaText(const json::Value& ca) {
  const std::string name = ca.String("name");
  if (ca["limits"].Items().empty()) {
    return Cat(name.empty() ? "" : name + ", ", ca.String("ca"), ": no limits are known\n");
  }
  Rows rows{{"LIMIT", "FOR", "LEFT", "ONE EACH", "KEPT", "NEXT", "ALL BACK", "EXEMPT"}};
  for (const json::Value& limit : ca["limits"].Items()) AddLimit(rows, ca, limit);
  return Cat(name, ", ", ca.String("ca"), "\n", TextTable(rows));
}

std::string FuseText(const json::Value& fuse) {
  std::string text = Cat("The fuse: ", fuse.Int("limit"), " orders for one exact set of names in ",
                         Duration(fuse.Int("window")), "\n");
  Rows rows{{"NAMES", "USED", "FORCED", "NEXT"}};
  for (const json::Value& set : fuse["sets"].Items()) {
    rows.push_back({Join(set.Strings("names"), ","), Left(set.Int("used"), fuse.Int("limit")),
                    Cat(set.Int("forced")), set.String("free_at", "now")});
  }
  return rows.size() == 1 ? text + "nothing was ordered\n" : text + TextTable(rows);
}

}  // namespace

std::string LedgerText(const json::Value& output) {
  std::string text;
  for (const json::Value& ca : output["cas"].Items()) text += CaText(ca) + "\n";
  return text + FuseText(output["fuse"]);
}

std::string BudgetsText(const json::Value& planned) {
  std::vector<std::string> needed;
  std::vector<std::string> exempt;
  for (const json::Value& budget : planned["budgets"].Items()) {
    const std::string limit = budget.String("limit");
    // The subject of an exact set is what stands above already.
    const bool plain =
        budget.String("subject").empty() || limit == "certificates-per-exact-set";
    (budget.Bool("exempt") ? exempt : needed)
        .push_back(plain ? limit : Cat(limit, " of ", budget.String("subject")));
  }
  std::string text;
  if (!needed.empty()) text += Cat("  needs one of ", Join(needed, ", "), "\n");
  if (!exempt.empty()) text += Cat("  is exempt from ", Join(exempt, ", "), "\n");
  if (const json::Value& shortage = planned["shortage"]; shortage.IsObject()) {
    text += Cat("  WARNING: would be refused then: ", shortage.String("text"), "; passes at ",
                shortage.String("passes_at"), "\n");
  }
  return text;
}

}  // namespace certwright::cli

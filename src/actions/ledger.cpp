// ledger: what is left of each CA's limits, and the fuse.
#include "certwright/issue/ledger.h"

#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/orders.h"
#include "handler.h"

namespace certwright::actions {

namespace {

// How long one takes to come back, in seconds; at least one.
UnixSeconds OneEach(const model::Limit& limit) {
  return std::max<UnixSeconds>((limit.window + limit.burst / 2) / limit.burst, 1);
}

json::Value LimitJson(const model::Limit& limit) {
  json::Value exempt = json::Array{};
  if (limit.exempts_replaces) exempt.Append("replaces");
  if (limit.exempts_same_set) exempt.Append("same-set");
  return json::Value::Object({{"limit", model::LimitText(limit.name)},
                              {"burst", limit.burst},
                              {"window", limit.window},
                              {"one_each", OneEach(limit)},
                              {"kept_for_renewals", limit.renewal_reserve},
                              {"exempt", exempt}});
}

json::Value EntryJson(const issue::LedgerEntry& entry) {
  const bool free = entry.room.left > entry.limit.renewal_reserve;
  return json::Value::Object({{"limit", model::LimitText(entry.limit.name)},
                              {"subject", entry.subject},
                              {"burst", entry.limit.burst},
                              {"left", entry.room.left},
                              {"next_at", TimeOrNull(free ? 0 : entry.new_at)},
                              {"full_at", TimeOrNull(entry.room.full_at)}});
}

json::Value CaJson(const issue::Ledger& ledger, const std::string& ca,
                   const std::vector<issue::LedgerEntry>& entries) {
  const model::CaLimits* known = ledger.LimitsOf(ca);
  json::Value limits = json::Array{};
  if (known != nullptr) {
    for (const model::Limit& limit : known->limits) limits.Append(LimitJson(limit));
  }
  json::Value used = json::Array{};
  for (const issue::LedgerEntry& entry : entries) {
    if (entry.ca == ca) used.Append(EntryJson(entry));
  }
  return json::Value::Object({{"ca", ca},
                              {"name", known == nullptr ? "" : known->name},
                              {"limits", limits},
                              {"used", used}});
}

json::Value SetJson(const store::OrderedSet& set, const issue::Fuse& fuse) {
  const auto limit = static_cast<std::size_t>(fuse.orders_per_name_set);
  // The next place is free when the oldest of the last N leaves the window.
  const UnixSeconds free_at = set.times.size() < limit ? 0 : set.times[limit - 1] + fuse.window;
  return json::Value::Object({{"names", Split(set.name_set, ',')},
                              {"used", static_cast<std::int64_t>(set.times.size())},
                              {"forced", set.forced},
                              {"free_at", TimeOrNull(free_at)}});
}

}  // namespace

std::optional<json::Value> ShowLedger(const Invocation& call) {
  const UnixSeconds now = call.context.clock.Now();
  const issue::Ledger& ledger = call.context.obtainer.ledger();
  const issue::Fuse& fuse = call.context.obtainer.fuse();
  std::vector<issue::LedgerEntry> entries;
  std::vector<store::OrderedSet> sets;
  call.context.database.Read([&](store::Session& session) {
    entries = ledger.Entries(session, now);
    sets = store::ListOrderedSets(session, now - fuse.window + 1);
  });
  std::vector<std::string> cas;  // those that are configured, then those that once were
  const auto add = [&](const std::string& ca) {
    if (std::find(cas.begin(), cas.end(), ca) == cas.end()) cas.push_back(ca);
  };
  for (const issue::Authority* authority : call.context.authorities.all()) {
    add(authority->directory());
  }
  for (const issue::LedgerEntry& entry : entries) add(entry.ca);
  json::Value limits = json::Array{};
  for (const std::string& ca : cas) limits.Append(CaJson(ledger, ca, entries));
  json::Value fused = json::Array{};
  for (const store::OrderedSet& set : sets) fused.Append(SetJson(set, fuse));
  return json::Value::Object(
      {{"cas", limits},
       {"fuse", json::Value::Object({{"limit", fuse.orders_per_name_set},
                                     {"window", fuse.window},
                                     {"sets", fused}})}});
}

void TellForecast(const issue::Forecast& forecast, json::Value& planned) {
  json::Value budgets = json::Array{};
  for (const issue::Need& need : forecast.needs) {
    if (!need.spends) continue;
    budgets.Append(json::Value::Object({{"limit", model::LimitText(need.limit.name)},
                                        {"subject", need.subject},
                                        {"exempt", need.exempt}}));
  }
  json::Value shortage;
  if (forecast.shortage) {
    const issue::Shortage& seen = *forecast.shortage;
    shortage = json::Value::Object({{"limit", model::LimitText(seen.need.limit.name)},
                                    {"subject", seen.need.subject},
                                    {"text", issue::ShortageText(seen)},
                                    {"passes_at", FormatUtc(seen.room.next_at)}});
  }
  planned.Set("budgets", budgets).Set("shortage", shortage);
}

}  // namespace certwright::actions

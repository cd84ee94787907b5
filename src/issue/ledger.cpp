#include "certwright/issue/ledger.h"

#include <algorithm>
#include <map>
#include <utility>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/limit_words.h"
#include "certwright/store/budgets.h"
#include "needs.h"

namespace certwright::issue {

using model::Limit;
using model::LimitName;

namespace {

constexpr char kAccountSubject[] = "";

std::int64_t ArrivalOf(const store::Budget& budget, const Limit& limit, UnixSeconds now) {
  return AfterChange(limit, AfterClockJump(budget.arrival_ms, budget.updated_at, now),
                     budget.interval_ms, now);
}

// What the store says of one limit and subject; an arrival of 0: nothing is used.
std::int64_t ArrivalOf(store::Session& session, const std::string& ca, const Limit& limit,
                       const std::string& subject, UnixSeconds now) {
  const auto budget =
      store::FindBudget(session, ca, std::string(model::LimitText(limit.name)), subject);
  return budget ? ArrivalOf(*budget, limit, now) : 0;
}

void SaveArrival(store::Session& session, const std::string& ca, const Limit& limit,
                 const std::string& subject, std::int64_t arrival, UnixSeconds now) {
  store::SaveBudget(session, {ca, std::string(model::LimitText(limit.name)), subject, arrival,
                              IntervalOf(limit), now});
}

void SpendOne(store::Session& session, const std::string& ca, const Limit& limit,
              const std::string& subject, UnixSeconds now) {
  const std::int64_t arrival = ArrivalOf(session, ca, limit, subject, now);
  SaveArrival(session, ca, limit, subject, Spend(limit, arrival, now), now);
}

// Once in `counted` for several domains of one limit.
void Take(store::Session& session, model::OrderRecord& order, const Need& need, UnixSeconds now) {
  SpendOne(session, order.directory, need.limit, need.subject, now);
  auto& counted = order.counted;
  const bool there = std::find(counted.begin(), counted.end(), need.limit.name) != counted.end();
  if (!there) counted.push_back(need.limit.name);
}

[[noreturn]] void Refuse(const std::string& ca, const Shortage& shortage, const Asked& asked) {
  Failure failure;
  failure.code = FailureCode::kRateLimited;
  const bool kept = shortage.room.left > 0;
  failure.detail = Cat("refused here",
                       kept ? Cat(", to keep room for renewals at ", ca)
                            : Cat(" before ", ca, " would"),
                       ": ", ShortageText(shortage), "; the next one passes at ",
                       FormatUtc(shortage.room.next_at));
  failure.advice =
      "wait until then; 'certwright ledger' shows what is left, and --force orders all the same";
  failure.identifiers = Concerned(shortage.need, asked);
  failure.transient = true;
  failure.retry_at = shortage.room.next_at;
  throw Error(std::move(failure));
}

// The one that takes longest, of those that are not met. `arrival_of` knows what is used.
template <typename ArrivalOfNeed>
std::optional<Shortage> Longest(const std::vector<Need>& needs, const Asked& asked,
                                UnixSeconds now, ArrivalOfNeed&& arrival_of) {
  std::optional<Shortage> longest;
  for (const Need& need : needs) {
    if (need.exempt) continue;
    const std::int64_t kept = asked.renewal ? 0 : need.limit.renewal_reserve;
    const Room room = RoomIn(need.limit, arrival_of(need), now, kept);
    if (room.left > kept) continue;
    if (!longest || room.next_at > longest->room.next_at) longest = Shortage{need, room};
  }
  return longest;
}

}  // namespace

Ledger::Ledger(std::vector<model::CaLimits> limits) : limits_(std::move(limits)) {}

const Ledger& Ledger::WithoutLimits() {
  static const Ledger none{{}};
  return none;
}

const model::CaLimits* Ledger::LimitsOf(const std::string& ca) const {
  for (const model::CaLimits& known : limits_) {
    const auto& all = known.directories;
    if (std::find(all.begin(), all.end(), ca) != all.end()) return &known;
  }
  return nullptr;
}

std::vector<Need> Ledger::NeedsOf(const Asked& asked) const {
  const model::CaLimits* ca = LimitsOf(asked.ca);
  return ca == nullptr ? std::vector<Need>{} : issue::NeedsOf(ca->limits, asked);
}

void Ledger::Check(store::Session& session, const Asked& asked, UnixSeconds now) const {
  const auto shortage = Longest(NeedsOf(asked), asked, now, [&](const Need& need) {
    return ArrivalOf(session, asked.ca, need.limit, need.subject, now);
  });
  if (shortage) Refuse(LimitsOf(asked.ca)->name, *shortage, asked);
}

void Ledger::Admit(store::Session& session, model::OrderRecord& order,
                   const std::optional<model::CertificateVersion>& held, UnixSeconds now) const {
  const Asked asked = AskedBy(order, held);
  try {
    Check(session, asked, now);
  } catch (const Error& error) {
    if (!order.forced) throw;
    log::Warning(Cat(model::NameSetKey(asked.identifiers), ": forced, though it was to be ",
                     error.what()));
  }
  store::PruneBudgets(session, now);
  order.counted.clear();
  for (const Need& need : NeedsOf(asked)) {
    if (need.spends && !need.exempt) Take(session, order, need, now);
  }
}

void Ledger::DropReplaces(store::Session& session, model::OrderRecord& order,
                          const std::optional<model::CertificateVersion>& held,
                          UnixSeconds now) const {
  const std::vector<LimitName> before = order.counted;
  for (const Need& need : NeedsOf(AskedBy(order, held))) {
    const bool counted = std::find(before.begin(), before.end(), need.limit.name) != before.end();
    if (need.spends && !need.exempt && !counted) Take(session, order, need, now);
  }
}

void Ledger::Failed(store::Session& session, model::OrderRecord& order, const Failure& failure,
                    model::OrderState reached, UnixSeconds now) const {
  const bool made = !order.url.empty();
  const bool refused = failure.code == FailureCode::kRefused;
  const bool limited = failure.code == FailureCode::kRateLimited && !failure.acme_type.empty();
  const bool ended = order.state == model::OrderState::kFailed && refused;
  if (order.certificate_url.empty() && (ended || (limited && !made))) {
    Refund(session, order, !made, now);
  }
  if (limited) Learn(session, AskedBy(order, std::nullopt), failure, now);
  if (ended && reached == model::OrderState::kValidating) {
    CountFailures(session, order, failure.identifiers, now);
  }
}

// One that was finalized may be a certificate by now.
void Ledger::GiveUp(store::Session& session, model::OrderRecord& order, UnixSeconds now) const {
  const bool finalized = order.state == model::OrderState::kProcessing ||
                         order.state == model::OrderState::kIssued || !order.certificate_url.empty();
  if (!finalized) Refund(session, order, false, now);
}

void Ledger::Succeeded(store::Session& session, const model::OrderRecord& order) const {
  if (LimitsOf(order.directory) == nullptr) return;
  for (const model::Identifier& identifier : order.identifiers) {
    store::DeleteBudget(session, order.directory,
                        std::string(model::LimitText(LimitName::kConsecutiveFailures)),
                        identifier.value);
  }
}

void Ledger::Refund(store::Session& session, model::OrderRecord& order, bool order_too,
                    UnixSeconds now) const {
  const std::vector<LimitName> counted = std::exchange(order.counted, {});
  for (const Need& need : NeedsOf(AskedBy(order, std::nullopt))) {
    const LimitName name = need.limit.name;
    if (std::find(counted.begin(), counted.end(), name) == counted.end()) continue;
    if (name == LimitName::kOrders && !order_too) {
      order.counted.push_back(name);
      continue;
    }
    const auto arrival = ArrivalOf(session, order.directory, need.limit, need.subject, now);
    if (arrival == 0) continue;  // all is back already
    SaveArrival(session, order.directory, need.limit, need.subject,
                issue::Refund(need.limit, arrival, now), now);
  }
}

void Ledger::CountFailures(store::Session& session, const model::OrderRecord& order,
                           const std::vector<std::string>& failed, UnixSeconds now) const {
  for (const Need& need : NeedsOf(AskedBy(order, std::nullopt))) {
    if (need.spends) continue;
    if (std::find(failed.begin(), failed.end(), need.subject) == failed.end()) continue;
    SpendOne(session, order.directory, need.limit, need.subject, now);
  }
}

void Ledger::AdmitAccount(store::Session& session, const std::string& ca, UnixSeconds now) const {
  const model::CaLimits* limits = LimitsOf(ca);
  if (limits == nullptr) return;
  for (const Limit& limit : limits->limits) {
    if (limit.name != LimitName::kAccounts) continue;
    const Room room =
        RoomIn(limit, ArrivalOf(session, ca, limit, kAccountSubject, now), now);
    if (room.left == 0) Refuse(limits->name, {{limit, kAccountSubject}, room}, {});
    SpendOne(session, ca, limit, kAccountSubject, now);
  }
}

void Ledger::Learn(store::Session& session, const Asked& asked, const Failure& failure,
                   UnixSeconds now) const {
  const model::CaLimits* ca = LimitsOf(asked.ca);
  if (ca == nullptr) return;
  const SaidOfLimit said = ReadLimitWords(failure.detail);
  const LimitName name = said.name.value_or(LimitName::kOrders);
  const UnixSeconds retry_at = said.retry_at > now ? said.retry_at : failure.retry_at;
  for (const Limit& limit : ca->limits) {
    if (limit.name != name) continue;
    // Only what was asked for: the words are the CA's. Of several, none is blamed without its name.
    const std::vector<std::string> subjects = SubjectsOf(name, asked);
    const auto named = std::find(subjects.begin(), subjects.end(), said.subject);
    if (named == subjects.end() && subjects.size() > 1) return;
    const std::string& subject = named == subjects.end() ? subjects.front() : *named;
    SaveArrival(session, asked.ca, limit, subject, CorrectFrom429(limit, retry_at, now), now);
    log::Info(Cat("the ledger is corrected by what ", ca->name, " said: ", model::LimitText(name),
                  subject.empty() ? "" : " of ", Printable(subject, 260), " is used up"));
  }
}

std::vector<LedgerEntry> Ledger::Entries(store::Session& session, UnixSeconds now) const {
  std::vector<LedgerEntry> entries;
  for (const store::Budget& budget : store::ListBudgets(session)) {
    const model::CaLimits* ca = LimitsOf(budget.ca);
    if (ca == nullptr) continue;
    for (const Limit& limit : ca->limits) {
      if (model::LimitText(limit.name) != budget.limit) continue;
      const std::int64_t arrival = ArrivalOf(budget, limit, now);
      const Room room = RoomIn(limit, arrival, now);
      if (room.full_at <= now) continue;
      entries.push_back({budget.ca, limit, budget.subject, room,
                         RoomIn(limit, arrival, now, limit.renewal_reserve).next_at});
    }
  }
  return entries;
}

std::vector<Forecast> Ledger::Foresee(store::Session& session, const std::vector<Planned>& planned,
                                      UnixSeconds now) const {
  using Arrivals = std::map<std::pair<LimitName, std::string>, std::int64_t>;
  std::map<std::string, Arrivals> cas;
  std::vector<Forecast> forecasts;
  for (const Planned& order : planned) {
    Forecast forecast;
    forecast.needs = NeedsOf(order.asked);
    Arrivals& used = cas[order.asked.ca];
    const auto arrival_of = [&](const Need& need) -> std::int64_t& {
      const auto [entry, is_new] = used.try_emplace({need.limit.name, need.subject}, 0);
      if (is_new) {
        entry->second = ArrivalOf(session, order.asked.ca, need.limit, need.subject, now);
      }
      return entry->second;
    };
    forecast.shortage = Longest(forecast.needs, order.asked, order.at, arrival_of);
    // What is refused then comes later: it takes its place all the same.
    const UnixSeconds at = forecast.shortage ? forecast.shortage->room.next_at : order.at;
    for (const Need& need : forecast.needs) {
      if (!need.spends || need.exempt) continue;
      std::int64_t& arrival = arrival_of(need);
      arrival = Spend(need.limit, arrival, at);
    }
    forecasts.push_back(std::move(forecast));
  }
  return forecasts;
}

}  // namespace certwright::issue

#include "certwright/issue/ledger.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/limit_words.h"
#include "certwright/model/registered_domain.h"
#include "certwright/store/budgets.h"

namespace certwright::issue {

using model::Limit;
using model::LimitName;

namespace {

constexpr char kAccountSubject[] = "";

// What the store says of one limit and subject; an arrival of 0: nothing is used.
std::int64_t ArrivalOf(store::Session& session, const std::string& ca, const Limit& limit,
                       const std::string& subject, UnixSeconds now) {
  const auto budget =
      store::FindBudget(session, ca, std::string(model::LimitText(limit.name)), subject);
  return budget ? AfterClockJump(budget->arrival_ms, budget->updated_at, now) : 0;
}

void SaveArrival(store::Session& session, const std::string& ca, const Limit& limit,
                 const std::string& subject, std::int64_t arrival, UnixSeconds now) {
  store::SaveBudget(session,
                    {ca, std::string(model::LimitText(limit.name)), subject, arrival, now});
}

void SpendOne(store::Session& session, const std::string& ca, const Limit& limit,
              const std::string& subject, UnixSeconds now) {
  const std::int64_t arrival = ArrivalOf(session, ca, limit, subject, now);
  SaveArrival(session, ca, limit, subject, Spend(limit, arrival, now), now);
}

std::set<std::string> DomainsOf(const std::vector<model::Identifier>& identifiers) {
  std::set<std::string> domains;
  for (const auto& identifier : identifiers) domains.insert(model::RegisteredDomain(identifier));
  return domains;
}

std::vector<std::string> SubjectsOf(LimitName name, const Asked& asked) {
  switch (name) {
    case LimitName::kOrders:
    case LimitName::kAccounts: return {kAccountSubject};
    case LimitName::kCertificatesPerExactSet: return {model::NameSetKey(asked.identifiers)};
    case LimitName::kCertificatesPerDomain: {
      const auto domains = DomainsOf(asked.identifiers);
      return {domains.begin(), domains.end()};
    }
    case LimitName::kFailedAuthorizations:
    case LimitName::kConsecutiveFailures: return model::Names(asked.identifiers);
  }
  return {};
}

bool IsSpentByOrders(LimitName name) {
  return name == LimitName::kOrders || name == LimitName::kCertificatesPerDomain ||
         name == LimitName::kCertificatesPerExactSet;
}

// What is counted, for a sentence.
std::string Things(const Need& need) {
  switch (need.limit.name) {
    case LimitName::kOrders: return "new orders";
    case LimitName::kAccounts: return "new accounts";
    case LimitName::kCertificatesPerExactSet: return "certificates for exactly these names";
    case LimitName::kCertificatesPerDomain: return Cat("certificates for ", need.subject);
    case LimitName::kFailedAuthorizations: return Cat("failed validations of ", need.subject);
    case LimitName::kConsecutiveFailures:
      return Cat("failed validations in a row of ", need.subject);
  }
  return "";
}

// The names of the order that have to do with it.
std::vector<std::string> Concerned(const Need& need, const Asked& asked) {
  std::vector<std::string> names;
  for (const model::Identifier& identifier : asked.identifiers) {
    const bool counted_by_name = need.limit.name == LimitName::kFailedAuthorizations ||
                                 need.limit.name == LimitName::kConsecutiveFailures;
    const bool below = need.limit.name == LimitName::kCertificatesPerDomain
                           ? model::RegisteredDomain(identifier) == need.subject
                           : !counted_by_name || identifier.value == need.subject;
    if (below) names.push_back(identifier.value);
  }
  return names;
}

[[noreturn]] void Refuse(const std::string& ca, const Shortage& shortage, const Asked& asked) {
  Failure failure;
  failure.code = FailureCode::kRateLimited;
  failure.detail = Cat("refused here before ", ca, " would: ", ShortageText(shortage),
                       "; the next one passes at ", FormatUtc(shortage.room.next_at));
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

std::string ShortageText(const Shortage& shortage) {
  const Limit& limit = shortage.need.limit;
  const std::int64_t used = limit.burst - shortage.room.left;
  const UnixSeconds hours = limit.window / 3600;
  const std::string window = limit.window % 3600 == 0 ? Cat(hours, hours == 1 ? " hour" : " hours")
                                                      : Cat(limit.window, " seconds");
  const bool kept = shortage.room.left > 0;
  return Cat(used, " of ", limit.burst, " ", Things(shortage.need), " within ", window,
             " are used",
             kept ? Cat(", and the last ", limit.renewal_reserve, " are kept for renewals") : "");
}

Asked AskedBy(const model::OrderRecord& order,
              const std::optional<model::CertificateVersion>& held) {
  Asked asked;
  asked.ca = order.directory;
  asked.identifiers = order.identifiers;
  asked.replaces = !order.replaces.empty();
  asked.renewal = held && held->origin == model::Origin::kAcme;
  asked.same_set = asked.renewal && held->ca == order.directory;
  return asked;
}

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
  std::vector<Need> needs;
  const model::CaLimits* ca = LimitsOf(asked.ca);
  if (ca == nullptr) return needs;
  for (const Limit& limit : ca->limits) {
    if (limit.name == LimitName::kAccounts) continue;
    const bool exempt = (asked.replaces && limit.exempts_replaces) ||
                        (asked.same_set && limit.exempts_same_set);
    for (std::string& subject : SubjectsOf(limit.name, asked)) {
      needs.push_back({limit, std::move(subject), exempt, IsSpentByOrders(limit.name)});
    }
  }
  return needs;
}

void Ledger::Check(store::Session& session, const Asked& asked, UnixSeconds now) const {
  const auto shortage = Longest(NeedsOf(asked), asked, now, [&](const Need& need) {
    return ArrivalOf(session, asked.ca, need.limit, need.subject, now);
  });
  if (shortage) Refuse(LimitsOf(asked.ca)->name, *shortage, asked);
}

void Ledger::Admit(store::Session& session, const Asked& asked, bool forced,
                   UnixSeconds now) const {
  try {
    Check(session, asked, now);
  } catch (const Error& error) {
    if (!forced) throw;
    log::Warning(Cat(model::NameSetKey(asked.identifiers), ": forced, though it was to be ",
                     error.what()));
  }
  store::PruneBudgets(session, now);
  for (const Need& need : NeedsOf(asked)) {
    if (need.spends && !need.exempt) SpendOne(session, asked.ca, need.limit, need.subject, now);
  }
}

void Ledger::SpendWithoutReplaces(store::Session& session, const Asked& asked,
                                  UnixSeconds now) const {
  for (const Need& need : NeedsOf(asked)) {
    if (!need.spends || need.exempt || !need.limit.exempts_replaces) continue;
    SpendOne(session, asked.ca, need.limit, need.subject, now);
  }
}

void Ledger::Refund(store::Session& session, const Asked& asked, bool made,
                    UnixSeconds now) const {
  for (const Need& need : NeedsOf(asked)) {
    if (!need.spends || need.exempt) continue;
    if (made && need.limit.name == LimitName::kOrders) continue;
    const std::int64_t arrival = ArrivalOf(session, asked.ca, need.limit, need.subject, now);
    if (arrival == 0) continue;  // all is back already
    SaveArrival(session, asked.ca, need.limit, need.subject,
                issue::Refund(need.limit, arrival, now), now);
  }
}

void Ledger::CountFailures(store::Session& session, const std::string& ca,
                           const std::vector<std::string>& names, UnixSeconds now) const {
  const model::CaLimits* limits = LimitsOf(ca);
  if (limits == nullptr) return;
  for (const Limit& limit : limits->limits) {
    if (limit.name != LimitName::kFailedAuthorizations &&
        limit.name != LimitName::kConsecutiveFailures) {
      continue;
    }
    for (const std::string& name : names) SpendOne(session, ca, limit, name, now);
  }
}

void Ledger::EndFailures(store::Session& session, const Asked& asked) const {
  if (LimitsOf(asked.ca) == nullptr) return;
  for (const model::Identifier& identifier : asked.identifiers) {
    store::DeleteBudget(session, asked.ca,
                        std::string(model::LimitText(LimitName::kConsecutiveFailures)),
                        identifier.value);
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
    log::Warning(Cat("the ledger is corrected by what ", ca->name, " said: ",
                     model::LimitText(name), subject.empty() ? "" : " of ",
                     Printable(subject, 260), " is used up"));
  }
}

std::vector<LedgerEntry> Ledger::Entries(store::Session& session, UnixSeconds now) const {
  std::vector<LedgerEntry> entries;
  for (const store::Budget& budget : store::ListBudgets(session)) {
    const model::CaLimits* ca = LimitsOf(budget.ca);
    if (ca == nullptr) continue;
    for (const Limit& limit : ca->limits) {
      if (model::LimitText(limit.name) != budget.limit) continue;
      const auto arrival = AfterClockJump(budget.arrival_ms, budget.updated_at, now);
      const Room room = RoomIn(limit, arrival, now);
      if (room.full_at > now) entries.push_back({budget.ca, limit, budget.subject, room});
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

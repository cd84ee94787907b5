// What an order asks of the limits of its CA, and how that is told.
#include "needs.h"

#include <set>

#include "certwright/base/text.h"
#include "certwright/model/registered_domain.h"

namespace certwright::issue {

using model::Limit;
using model::LimitName;

namespace {

std::set<std::string> DomainsOf(const std::vector<model::Identifier>& identifiers) {
  std::set<std::string> domains;
  for (const auto& identifier : identifiers) domains.insert(model::RegisteredDomain(identifier));
  return domains;
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

}  // namespace

std::vector<std::string> SubjectsOf(LimitName name, const Asked& asked) {
  switch (name) {
    case LimitName::kOrders:
    case LimitName::kAccounts: return {""};
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

Asked AskedFor(const std::string& ca, const std::vector<model::Identifier>& identifiers,
               const std::optional<model::CertificateVersion>& held) {
  Asked asked;
  asked.ca = ca;
  asked.identifiers = identifiers;
  asked.renewal = held && held->origin == model::Origin::kAcme;
  asked.same_set = asked.renewal && held->ca == ca;
  asked.replaces = asked.same_set && !held->ari_id.empty();
  return asked;
}

Asked AskedBy(const model::OrderRecord& order,
              const std::optional<model::CertificateVersion>& held) {
  Asked asked = AskedFor(order.directory, order.identifiers, held);
  asked.replaces = !order.replaces.empty();
  return asked;
}

std::vector<Need> NeedsOf(const std::vector<Limit>& limits, const Asked& asked) {
  std::vector<Need> needs;
  for (const Limit& limit : limits) {
    if (limit.name == LimitName::kAccounts) continue;
    const bool exempt = (asked.replaces && limit.exempts_replaces) ||
                        (asked.same_set && limit.exempts_same_set);
    for (std::string& subject : SubjectsOf(limit.name, asked)) {
      needs.push_back({limit, std::move(subject), exempt, IsSpentByOrders(limit.name)});
    }
  }
  return needs;
}

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

}  // namespace certwright::issue

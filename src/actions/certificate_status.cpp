#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/health.h"
#include "certwright/store/uploads.h"
#include "status.h"

namespace certwright::actions {

namespace {

constexpr UnixSeconds kHour = 3600;
// Renewals begin at a third of the lifetime and a twentieth later at most: see renewal/plan.h.
constexpr int kLate = 4;       // less than a quarter of the lifetime is left
constexpr int kAlmostOver = 10;  // less than a tenth
constexpr std::size_t kNamed = 3;

// "a.example.org, b.example.org and 5 more"
template <typename Items>
std::string Several(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) {
    if (names.size() == kNamed) break;
    names.push_back(item.name_set);
  }
  const std::size_t more = items.size() - names.size();
  return Cat(Join(names, "; "), more > 0 ? Cat(" and ", more, " more") : "");
}

// A daemon does it at once; a timer a few times a day.
void TellDue(const Invocation& call, const store::DueCount& due, UnixSeconds now,
             std::vector<Component>& components) {
  const UnixSeconds patience = call.context.is_daemon ? kHour : 24 * kHour;
  if (due.count == 0) return components.push_back({"due", Health::kOk, "nothing is due"});
  const bool late = now - due.since > patience;
  components.push_back({"due", late ? Health::kWarning : Health::kOk,
                        Cat(due.count, due.count == 1 ? " certificate is" : " certificates are",
                            " due, since ", FormatUtc(due.since))});
}

void TellFailing(const std::vector<model::ManagedCertificate>& failing,
                 std::vector<Component>& components) {
  if (failing.empty()) return components.push_back({"failing", Health::kOk, "nothing fails"});
  const auto worst = std::max_element(failing.begin(), failing.end(), [](auto& a, auto& b) {
    return a.failures < b.failures;
  });
  const std::string words = worst->last_error ? worst->last_error->detail : "";
  components.push_back({"failing", Health::kWarning,
                        Cat(Several(failing), ": ",
                            worst->failures == 1 ? "once" : Cat(worst->failures, " times in a row"),
                            ": ", words)});
}

void TellExpiring(const std::vector<store::Expiry>& late, UnixSeconds now,
                  std::vector<Component>& components) {
  if (late.empty()) {
    return components.push_back({"expiring", Health::kOk, "all are valid for long enough"});
  }
  const bool critical = std::any_of(late.begin(), late.end(), [&](const store::Expiry& one) {
    return (one.not_after - now) * kAlmostOver < one.not_after - one.not_before;
  });
  const UnixSeconds first = late.front().not_after;
  components.push_back({"expiring", critical ? Health::kCritical : Health::kWarning,
                        Cat(Several(late), first <= now ? ": expired " : ": valid until ",
                            FormatUtc(first))});
}

}  // namespace

void CertificateStatus(const Invocation& call, std::vector<Component>& components) {
  const UnixSeconds now = call.context.clock.Now();
  call.context.database.Read([&](store::Session& session) {
    TellDue(call, store::CountDue(session, now), now, components);
    TellFailing(store::ListFailing(session), components);
    TellExpiring(store::ListNearExpiry(session, kLate, now), now, components);
  });
}

}  // namespace certwright::actions

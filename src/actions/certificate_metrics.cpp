#include <map>

#include "certwright/issue/ledger.h"
#include "certwright/renewal/failure_class.h"
#include "certwright/store/health.h"
#include "metrics.h"

namespace certwright::actions {

namespace {

using renewal::FailureClass;
constexpr FailureClass kClasses[] = {FailureClass::kInput,   FailureClass::kValidation,
                                     FailureClass::kCa,      FailureClass::kNetwork,
                                     FailureClass::kRateLimit, FailureClass::kOurs};

void TellExpiries(const std::vector<store::Expiry>& expiries, MetricText& out) {
  out.Begin("certwright_certificate_not_after_timestamp_seconds", "gauge",
            "When the certificate that is held for these names ends.");
  for (const auto& one : expiries) out.Sample({{"names", one.name_set}}, one.not_after);
  out.Begin("certwright_certificate_not_before_timestamp_seconds", "gauge", "When it began.");
  for (const auto& one : expiries) out.Sample({{"names", one.name_set}}, one.not_before);
  out.Begin("certwright_certificate_next_action_timestamp_seconds", "gauge",
            "When the scheduler looks at it next: its renewal, or what the CA says of it.");
  for (const auto& one : expiries) {
    if (one.next_action_at > 0) out.Sample({{"names", one.name_set}}, one.next_action_at);
  }
}

void TellFailing(const std::vector<model::ManagedCertificate>& failing, MetricText& out) {
  std::map<FailureClass, std::int64_t> counts;
  for (const auto& one : failing) {
    if (one.last_error) ++counts[renewal::ClassOf(*one.last_error)];
  }
  out.Begin("certwright_certificates_failing", "gauge",
            "Certificates whose last try failed, by the class of the failure.");
  for (const FailureClass which : kClasses) {
    out.Sample({{"class", renewal::FailureClassName(which)}}, counts[which]);
  }
}

void TellOrders(const store::OrderCount& orders, MetricText& out) {
  out.Begin("certwright_orders_total", "counter", "Orders that were made at a CA.");
  out.Sample({}, orders.made);
  out.Begin("certwright_orders_open", "gauge", "Orders that are under way.");
  out.Sample({}, orders.open);
}

}  // namespace

void CertificateMetrics(const Invocation& call, MetricText& out) {
  const UnixSeconds now = call.context.clock.Now();
  std::vector<store::Expiry> expiries;
  std::vector<model::ManagedCertificate> failing;
  store::DueCount due;
  store::OrderCount orders;
  call.context.database.Read([&](store::Session& session) {
    expiries = store::ListExpiries(session);
    failing = store::ListFailing(session);
    due = store::CountDue(session, now);
    orders = store::CountOrders(session);
  });
  TellExpiries(expiries, out);
  out.Begin("certwright_certificates_due", "gauge", "Certificates that wait to be renewed or looked at.");
  out.Sample({}, due.count);
  TellFailing(failing, out);
  TellOrders(orders, out);
}

// Of each CA and limit what is nearest to its end: one subject (a domain) of many.
void CaMetrics(const Invocation& call, MetricText& out) {
  const UnixSeconds now = call.context.clock.Now();
  const auto entries = call.context.database.Read([&](store::Session& session) {
    return call.context.obtainer.ledger().Entries(session, now);
  });
  std::map<std::pair<std::string, std::string>, const issue::LedgerEntry*> nearest;
  for (const issue::LedgerEntry& entry : entries) {
    auto& least = nearest[{entry.ca, std::string(model::LimitText(entry.limit.name))}];
    if (least == nullptr || entry.room.left < least->room.left) least = &entry;
  }
  out.Begin("certwright_ca_limit_left", "gauge",
            "What is left of a CA's limit that something was taken of, where least is left.");
  for (const auto& [key, entry] : nearest) {
    out.Sample({{"ca", key.first}, {"limit", key.second}, {"subject", entry->subject}},
               entry->room.left);
  }
  out.Begin("certwright_ca_limit_burst", "gauge", "How much such a limit is when nothing is used.");
  for (const auto& [key, entry] : nearest) {
    out.Sample({{"ca", key.first}, {"limit", key.second}, {"subject", entry->subject}},
               entry->limit.burst);
  }
}

}  // namespace certwright::actions

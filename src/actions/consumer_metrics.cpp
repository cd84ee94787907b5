#include <map>

#include "certwright/store/served.h"
#include "metrics.h"

namespace certwright::actions {

void ConsumerMetrics(const Invocation& call, MetricText& out) {
  const UnixSeconds now = call.context.clock.Now();
  std::vector<ConsumerState> consumers;
  std::vector<store::ServedState> served;
  call.context.database.Read([&](store::Session& session) {
    consumers = StatesOfConsumers(session, now);
    served = store::ListServed(session);
  });
  out.Begin("certwright_export_in_step", "gauge",
            "1 where what is exported is what get-certificate gives, and its reload has run.");
  for (const ExportState& one : StatesOfExports(call.context)) {
    out.Sample({{"export", one.name}}, one.state == "in-step" ? 1 : 0);
  }
  out.Begin("certwright_consumer_behind", "gauge",
            "1 where another certificate is held for the name than the consumer has loaded.");
  for (const ConsumerState& one : consumers) {
    out.Sample({{"consumer", one.said.consumer}, {"name", one.said.name}}, one.behind ? 1 : 0);
  }
  std::map<std::string, std::int64_t> mismatches;
  for (const store::ServedState& one : served) {
    mismatches[one.endpoint] += store::IsMismatch(one) ? 1 : 0;
  }
  out.Begin("certwright_served_mismatch", "gauge",
            "Names for which an endpoint does not show what is held.");
  for (const auto& [endpoint, count] : mismatches) out.Sample({{"endpoint", endpoint}}, count);
}

}  // namespace certwright::actions

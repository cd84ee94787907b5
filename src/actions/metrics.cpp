#include "metrics.h"

#include <array>

#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "certwright/store/health.h"
#include "status.h"

namespace certwright::actions {

namespace {

void BuildMetrics(const Invocation& call, MetricText& out) {
  out.Begin("certwright_build_info", "gauge", "The version that runs; the value is always 1.");
  out.Sample({{"version", call.context.version}}, 1);
}

constexpr std::array<MetricPart, 6> kParts{BuildMetrics, CertificateMetrics, CaMetrics, FeedMetrics,
                                           ConsumerMetrics, StatusMetrics};

// What comes from file names and CAs may hold anything.
void AddLabelValue(std::string_view value, std::string& text) {
  for (const char c : Printable(value, 2000)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
}

}  // namespace

void MetricText::Begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += Cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void MetricText::Sample(Labels labels, std::int64_t value) {
  text_ += name_;
  char before = '{';
  for (const auto& [label, content] : labels) {
    text_.append(1, before).append(label).append("=\"");
    AddLabelValue(content, text_);
    text_ += '"';
    before = ',';
  }
  // No stream: there are three lines a certificate.
  text_.append(labels.size() == 0 ? " " : "} ").append(std::to_string(value)).append(1, '\n');
}

void FeedMetrics(const Invocation& call, MetricText& out) {
  std::int64_t last = 0;
  std::vector<store::FeedPosition> positions;
  std::vector<std::int64_t> behind;
  call.context.database.Read([&](store::Session& session) {
    last = store::LastEvent(session);
    positions = store::ListPositions(session);
    for (const auto& one : positions) {
      behind.push_back(store::CountEvents(session, one.seq, one.kinds));
    }
  });
  out.Begin("certwright_events_total", "counter", "Events that were written: the last one's number.");
  out.Sample({}, last);
  out.Begin("certwright_handler_events_behind", "gauge",
            "Events that a subscriber, handler or web hook has not had yet.");
  for (std::size_t i = 0; i < positions.size(); ++i) {
    out.Sample({{"handler", positions[i].subscriber}}, behind[i]);
  }
  out.Begin("certwright_handler_failures", "gauge", "Failures in a row of the event that is next.");
  for (const auto& one : positions) out.Sample({{"handler", one.subscriber}}, one.failures);
}

void StatusMetrics(const Invocation& call, MetricText& out) {
  out.Begin("certwright_component_state", "gauge",
            "What status says of a part: 0 ok, 1 warning, 2 critical.");
  for (const Component& one : LookAtAll(call)) {
    out.Sample({{"component", one.component}}, static_cast<int>(one.state));
  }
}

std::optional<json::Value> Metrics(const Invocation& call) {
  MetricText out;
  for (const MetricPart part : kParts) part(call, out);
  return json::Value::Object({{"text", out.text()}});
}

}  // namespace certwright::actions

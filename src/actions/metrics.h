// Prometheus' text format, version 0.0.4, and who has something to say in it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "handler.h"

namespace certwright::actions {

class MetricText {
 public:
  // Begins a metric; its samples follow. `type`: "gauge" or "counter".
  void Begin(std::string_view name, std::string_view type, std::string_view help);
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  void Sample(Labels labels, std::int64_t value);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string name_;
};

// Adds its metrics. To tell of another part, add its function to kParts in metrics.cpp.
using MetricPart = void (*)(const Invocation& call, MetricText& out);

void CertificateMetrics(const Invocation& call, MetricText& out);
void CaMetrics(const Invocation& call, MetricText& out);
void FeedMetrics(const Invocation& call, MetricText& out);
void ConsumerMetrics(const Invocation& call, MetricText& out);
void StatusMetrics(const Invocation& call, MetricText& out);

}  // namespace certwright::actions

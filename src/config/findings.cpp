#include "findings.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::config {

void Findings::Add(std::uint32_t line, std::string text) {
  findings_.push_back({line, std::move(text)});
}

void Findings::ThrowProblems(const std::string& advice) const {
  if (findings_.empty()) return;
  auto sorted = findings_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  for (const auto& finding : sorted)
    lines.push_back(Cat(file_, ":", finding.line, ": ", finding.text));
  throw Error(FailureCode::kConfig, Join(lines, "\n"), advice);
}

}  // namespace certwright::config

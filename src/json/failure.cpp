#include "certwright/json/failure.h"

#include <utility>

#include "certwright/base/clock.h"

namespace certwright::json {

Value ToJson(const Failure& failure) {
  Array subproblems;
  for (const Subproblem& problem : failure.subproblems) {
    subproblems.push_back(Value::Object(
        {{"type", problem.type}, {"detail", problem.detail}, {"identifier", problem.identifier}}));
  }
  return Value::Object({
      {"code", FailureCodeName(failure.code)},
      {"detail", failure.detail},
      {"advice", failure.advice},
      {"acme_type", failure.acme_type},
      {"identifiers", failure.identifiers},
      {"subproblems", std::move(subproblems)},
      {"transient", failure.transient},
      {"retry_at", failure.retry_at == 0 ? Value() : Value(FormatUtc(failure.retry_at))},
  });
}

Failure FailureFromJson(const Value& value) {
  Failure failure;
  failure.code = FailureCodeFromName(value.String("code"));
  failure.detail = value.String("detail");
  failure.advice = value.String("advice");
  failure.acme_type = value.String("acme_type");
  failure.identifiers = value.Strings("identifiers");
  for (const Value& problem : value["subproblems"].Items()) {
    failure.subproblems.push_back(
        {problem.String("type"), problem.String("detail"), problem.String("identifier")});
  }
  failure.transient = value.Bool("transient");
  const UnixSeconds retry_at = ParseRfc3339(value.String("retry_at"));
  failure.retry_at = retry_at > 0 ? retry_at : 0;
  return failure;
}

}  // namespace certwright::json

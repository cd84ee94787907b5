// What can be asked at which path: the one table behind the door and behind its description.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/actions/runner.h"

namespace certwright::api {

enum class OperationKind {
  kHealth,
  kDescription,  // OpenAPI
  kActions,      // their names and schemas
  kRunAction,
  kSubmitTask,
  kMetrics,   // the action's text as it stands
  kResource,  // an action whose input comes from path and query, and whose output is the answer
};

// What ?wait=SECONDS waits for, where a resource takes it.
enum class WaitFor { kNothing, kEndOfTask, kEvents };

struct Operation {
  std::string_view method;
  std::string_view path;  // "/v1/certificates/{certificate}": the member of the action's input
  OperationKind kind;
  std::string_view summary;
  std::string_view action = {};     // kResource
  std::string_view always = "{}";   // kResource: input that it always has
  WaitFor wait_for = WaitFor::kNothing;
};

std::span<const Operation> Operations();

// Whether the path (its decoded segments) is that of the operation; then the text that stands for
// its parameter ("" where it has none).
std::optional<std::string> Match(const Operation& operation,
                                 const std::vector<std::string>& segments);
// "certificate" of "/v1/certificates/{certificate}", or "".
std::string_view ParameterOf(const Operation& operation);

// A resource of an action that this program has not got is not there.
bool IsOffered(const Operation& operation, const actions::Runner& runner);

}  // namespace certwright::api

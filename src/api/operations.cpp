#include "operations.h"

#include <algorithm>
#include <array>

#include "certwright/base/text.h"

namespace certwright::api {

namespace {

using enum OperationKind;

constexpr std::array kOperations{
    Operation{"GET", "/v1/health", kHealth, "Whether the daemon is well"},
    Operation{"GET", "/v1/openapi.json", kDescription, "This description"},
    Operation{"GET", "/v1/metrics", kMetrics, "Prometheus' text format", "metrics"},
    Operation{"GET", "/v1/actions", kActions, "The actions, and the schemas of input and output"},
    Operation{"POST", "/v1/actions/{action}", kRunAction, "Run an action, and wait for its end"},
    Operation{"POST", "/v1/tasks", kSubmitTask, "Have an action run in the background"},
    Operation{"GET", "/v1/tasks", kResource, "The calls in the background", "tasks"},
    Operation{"GET", "/v1/tasks/{task}", kResource, "A call in the background", "show-task", "{}",
              WaitFor::kEndOfTask},
    Operation{"DELETE", "/v1/tasks/{task}", kResource, "Cancel a call in the background",
              "cancel-task"},
    Operation{"GET", "/v1/certificates", kResource, "The certificates", "list"},
    Operation{"GET", "/v1/certificates/{certificate}", kResource,
              "A certificate, by a name, its names or a serial", "show"},
    Operation{"GET", "/v1/plan", kResource, "What would be ordered when", "plan"},
    Operation{"GET", "/v1/ledger", kResource, "What the CAs' limits leave, and the fuse", "ledger"},
    Operation{"GET", "/v1/account", kResource, "The account at the CA", "account-show"},
    Operation{"GET", "/v1/exports", kResource, "What is kept in step on disk, and how it stands",
              "list-exports"},
    Operation{"GET", "/v1/served", kResource, "What endpoints were seen to show", "list-served"},
    Operation{"GET", "/v1/routes", kResource, "The routes", "list-routes",
              R"({"expand_list":true})"},
    Operation{"GET", "/v1/routes/{instance}", kResource, "A route", "get-route"},
    Operation{"GET", "/v1/events", kResource,
              "The numbered feed; with 'Accept: text/event-stream' as it comes, as server-sent events",
              "events", "{}", WaitFor::kEvents},
    Operation{"GET", "/v1/status", kResource, "Health: what somebody may have to look after", "status"},
    Operation{"GET", "/v1/audit", kResource, "Who was denied something, and who was given a key",
              "audit"},
};

bool IsParameter(std::string_view segment) { return segment.starts_with('{'); }

}  // namespace

std::span<const Operation> Operations() { return kOperations; }

std::optional<std::string> Match(const Operation& operation,
                                 const std::vector<std::string>& segments) {
  const std::vector<std::string> pattern = Split(operation.path.substr(1), '/');
  if (pattern.size() != segments.size()) return std::nullopt;
  std::string given;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i])) {
      given = segments[i];
    } else if (pattern[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return given;
}

std::string_view ParameterOf(const Operation& operation) {
  const std::size_t start = operation.path.find('{');
  if (start == operation.path.npos) return {};
  return operation.path.substr(start + 1, operation.path.size() - start - 2);
}

bool IsOffered(const Operation& operation, const actions::Runner& runner) {
  if (operation.kind != kResource) return true;
  const std::vector<std::string> names = runner.action_names();
  return std::find(names.begin(), names.end(), operation.action) != names.end();
}

}  // namespace certwright::api

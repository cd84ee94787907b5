// tasks, show-task and cancel-task: what is in the background.
#include "certwright/actions/tasks.h"
#include "certwright/base/text.h"
#include "certwright/store/tasks.h"
#include "audit.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr int kListed = 100;
constexpr json::ParseLimits kOurOwn{1 << 30, 64};

json::Value Summary(const model::Task& task) {
  return json::Value::Object({{"id", task.id},
                              {"action", task.action},
                              {"status", model::TaskStatusName(task.status)},
                              {"progress", task.progress},
                              {"user", task.caller},
                              {"role", task.role},
                              {"parent", task.parent},
                              {"created_at", FormatUtc(task.created_at)},
                              {"started_at", TimeOrNull(task.started_at)},
                              {"ended_at", TimeOrNull(task.ended_at)},
                              {"exit_code", task.ended_at > 0 ? json::Value(task.exit_code)
                                                                : json::Value()}});
}

// As a node's agent gives it: an output that is none is an empty text.
json::Value Whole(const model::Task& task, const std::optional<json::Value>& output_in_memory) {
  json::Value value = Summary(task);
  value.Set("data", json::Parse(task.data, kOurOwn));
  value.Set("extra", json::Parse(task.extra, kOurOwn));
  if (task.ended_at == 0) return value.Set("output", json::Value()).Set("error", json::Value());
  const json::Value result = json::Parse(task.result, kOurOwn);
  const json::Value& kept = result.Has("output") ? result["output"] : json::Value("");
  value.Set("output", output_in_memory ? *output_in_memory : kept);
  value.Set("error", result["error"]);
  if (result.Has("failure")) value.Set("failure", result["failure"]);
  return value;
}

// Another one's is not there.
model::Task FindVisible(const Invocation& call) {
  const std::string id = call.input.String("task");
  const auto task = call.context.database.Read(
      [&](store::Session& session) { return store::FindTask(session, id); });
  const bool gone = task && task->ended_at > 0 &&
                    task->ended_at + store::kTaskKept <= call.context.clock.Now();
  const bool ours = task && (call.role == "owner" ||
                             (task->role == call.role && task->caller == call.caller));
  if (task && ours && !gone) return *task;
  throw Error(FailureCode::kNotFound, Cat("there is no task ", Printable(id, 60)),
              "a task is kept for 8 hours after its end; 'certwright tasks' lists them");
}

// Without a daemon nothing runs it, and the next daemon does not either.
void CancelStored(const Invocation& call, model::Task& task) {
  Failure failure;
  failure.code = FailureCode::kCancelled;
  failure.detail = "the task was cancelled while no daemon ran";
  SetEnd(task, FromFailure(failure), call.context.clock.Now());
  call.context.database.Write([&](store::Session& session) { store::SaveTask(session, task); });
}

}  // namespace

std::optional<json::Value> ListTasks(const Invocation& call) {
  store::TaskFilter filter;
  filter.status = call.input.String("status");
  filter.action = call.input.String("action");
  if (call.role != "owner") {
    filter.role = call.role;
    filter.caller = call.caller;
  }
  const auto limit = static_cast<int>(call.input.Int("limit", kListed));
  const UnixSeconds kept_since = call.context.clock.Now() - store::kTaskKept;
  json::Value tasks = json::Array{};
  for (model::Task& task : call.context.database.Read([&](store::Session& session) {
         return store::ListTasks(session, filter, limit);
       })) {
    if (call.context.tasks != nullptr) call.context.tasks->Amend(task);
    if (task.ended_at == 0 || task.ended_at > kept_since) tasks.Append(Summary(task));
  }
  return json::Value::Object({{"tasks", tasks}});
}

std::optional<json::Value> ShowTask(const Invocation& call) {
  model::Task task = FindVisible(call);
  std::optional<json::Value> output;
  if (call.context.tasks != nullptr) output = call.context.tasks->Amend(task);
  if (ReleasesKey(task.action, output)) AuditRelease(call);
  return Whole(task, output);
}

std::optional<json::Value> CancelTask(const Invocation& call) {
  model::Task task = FindVisible(call);
  bool cancelled = false;
  if (call.context.tasks != nullptr) {
    cancelled = call.context.tasks->Cancel(task.id);
    task = FindVisible(call);
    call.context.tasks->Amend(task);
  } else if (task.ended_at == 0) {
    CancelStored(call, task);
    cancelled = true;
  }
  return Summary(task).Set("cancelled", cancelled);
}

}  // namespace certwright::actions

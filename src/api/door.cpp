#include "door.h"

#include <memory>

#include "answers.h"
#include "certwright/actions/tasks.h"
#include "certwright/base/text.h"
#include "certwright/json/schema.h"
#include "openapi.h"
#include "parameters.h"
#include "progress_json.h"

namespace certwright::api {

namespace {

std::string AllowedAt(const std::vector<const Operation*>& operations) {
  std::vector<std::string> methods;
  for (const Operation* operation : operations) {
    methods.emplace_back(operation->method);
    if (operation->method == "GET") methods.emplace_back("HEAD");
  }
  return Join(methods, ", ");
}

}  // namespace

actions::Result Busy(std::string detail) {
  Failure failure;
  failure.code = FailureCode::kBusy;
  failure.detail = std::move(detail);
  failure.advice = "ask again later";
  failure.transient = true;
  return actions::FromFailure(failure);
}

void Door::Answer(const Socket& socket, const http::ServerRequest& request,
                  http::ServerReply& reply) {
  Target target;
  try {
    target = ParseTarget(request.target);
  } catch (const Error& error) {
    return AnswerProblem(reply, 400, error.what());
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::vector<const Operation*> there;
  for (const Operation& operation : Operations()) {
    const auto parameter = Match(operation, target.segments);
    if (!parameter || !IsOffered(operation, runner_)) continue;
    if (operation.method == method) {
      return AnswerOperation({socket, request, reply, operation, target, *parameter});
    }
    there.push_back(&operation);
  }
  if (there.empty()) {
    return AnswerProblem(reply, 404, "there is nothing here; see /v1/openapi.json");
  }
  const std::string allowed = AllowedAt(there);
  AnswerProblem(reply, 405, Cat("this is for ", allowed), {{"Allow", allowed}});
}

void Door::AnswerOperation(const Exchange& exchange) {
  if (exchange.operation.kind == OperationKind::kResource) return ReadResource(exchange);
  if (!exchange.target.query.empty()) {
    return AnswerProblem(exchange.reply, 400, "there are no query parameters here");
  }
  switch (exchange.operation.kind) {
    case OperationKind::kHealth:
      return AnswerJson(exchange.reply, 200,
                        json::Value::Object({{"status", "ok"},
                                             {"version", version_},
                                             {"node_id", runner_.node_id()},
                                             {"module_id", runner_.module_id()}}));
    case OperationKind::kDescription:
      return AnswerJson(exchange.reply, 200, OpenApi(runner_, version_));
    case OperationKind::kActions: return AnswerActions(exchange.reply);
    case OperationKind::kMetrics: return AnswerMetrics(exchange);
    case OperationKind::kRunAction: return RunAction(exchange);
    case OperationKind::kSubmitTask: return SubmitTask(exchange);
    case OperationKind::kResource: return;
  }
}

actions::Call Door::CallOf(const Exchange& exchange) const {
  actions::Call call;
  call.role = exchange.socket.role;
  call.caller = exchange.socket.caller;
  const std::string_view named = exchange.request.Header("agent-task-user");
  if (call.role == "owner" && !named.empty()) call.caller = std::string(named);
  call.upload_verify = std::string(exchange.request.Header("upload-certificate-verify-type"));
  return call;
}

void Door::AnswerActions(http::ServerReply& reply) const {
  json::Value list = json::Array{};
  for (const std::string& action : runner_.action_names()) {
    list.Append(json::Value::Object(
        {{"name", action},
         {"input", actions::SchemaDocument(action, "input").value_or(json::Value())},
         {"output", actions::SchemaDocument(action, "output").value_or(json::Value())}}));
  }
  AnswerJson(reply, 200, json::Value::Object({{"actions", list}}));
}

void Door::AnswerMetrics(const Exchange& exchange) const {
  actions::Call call = CallOf(exchange);
  call.action = exchange.operation.action;
  const actions::Result result = runner_.Run(call, nullptr, stop_.get_token());
  if (result.exit_code != 0) return AnswerProblem(exchange.reply, result);
  exchange.reply.Whole(200, actions::kMetricsType, result.output->String("text"));
}

void Door::RunAction(const Exchange& exchange) {
  actions::Call call = CallOf(exchange);
  call.action = exchange.parameter;
  call.input = exchange.request.body;
  const bool waits = actions::MayWait(call.action);
  const std::shared_ptr<void> place = waits ? Place(may_wait_) : nullptr;
  if (waits && !place) {
    const actions::Result busy =
        Busy(Cat(kMostWaiting, " calls wait for the CA or for Traefik already"));
    return AnswerJson(exchange.reply, HttpStatusOf(busy), busy.ToJson());
  }
  if (exchange.request.Header("accept").find(kLines) == std::string_view::npos) {
    const actions::Result result = runner_.Run(call, nullptr, stop_.get_token());
    return AnswerJson(exchange.reply, HttpStatusOf(result), result.ToJson());
  }
  bool begun = false;
  const actions::Result result = runner_.Run(
      call,
      [&](const model::Progress& step) {
        exchange.reply.Line(json::Write(json::Value::Object({{"progress", ToJson(step)}})));
      },
      stop_.get_token(),
      // At once: a caller to whom not a byte came may send it again (http::SendToSocket).
      [&] {
        begun = true;
        exchange.reply.StartLines(200, kLines);
      });
  if (!begun) exchange.reply.StartLines(HttpStatusOf(result), kLines);
  exchange.reply.Line(json::Write(json::Value::Object({{"result", result.ToJson()}})));
}

void Door::SubmitTask(const Exchange& exchange) {
  actions::Result result = actions::CheckInput("task", exchange.request.body);
  if (result.exit_code != 0) return AnswerProblem(exchange.reply, result);
  const json::Value body = *std::move(result.output);
  actions::Call call = CallOf(exchange);
  call.action = body.String("action");
  if (body.Has("data")) call.input = json::Write(body["data"]);
  if (const auto refused = runner_.Refuse(call)) return AnswerProblem(exchange.reply, *refused);
  actions::Tasks* tasks = runner_.tasks();
  if (tasks == nullptr) return AnswerProblem(exchange.reply, Busy("nothing runs tasks here"));
  try {
    const json::Value extra = body.Has("extra") ? body["extra"] : json::Value::Object();
    const std::string id = tasks->Submit(call, body.String("parent"), extra);
    AnswerJson(exchange.reply, 202, json::Value::Object({{"id", id}, {"status", "pending"}}),
               {{"Location", Cat("/v1/tasks/", id)}});
  } catch (...) {
    AnswerProblem(exchange.reply, actions::FromFailure(CurrentFailure()));
  }
}

void Door::ReadResource(const Exchange& exchange) {
  actions::Call call = CallOf(exchange);
  call.action = exchange.operation.action;
  Millis patience{0};
  try {
    ResourceInput read = ReadInput(exchange.operation, exchange.parameter, exchange.target.query);
    call.input = json::Write(read.input);
    patience = read.wait;
  } catch (const Error& error) {
    return AnswerProblem(exchange.reply, 400, error.what());
  }
  const WaitFor what = exchange.operation.wait_for;
  if (what == WaitFor::kEvents &&
      exchange.request.Header("accept").find(kEventStream) != std::string_view::npos) {
    return Follow(exchange, std::move(call));
  }
  const actions::Result result =
      patience == Millis(0)        ? runner_.Run(call, nullptr, stop_.get_token())
      : what == WaitFor::kEvents ? WaitForEvents(call, patience)
                                 : WaitForEnd(call, exchange.parameter, patience);
  if (result.exit_code != 0) return AnswerFailed(exchange, std::move(call), result);
  const json::Value output = result.output.value_or(json::Value());
  if (output.IsObject() && output.Fields().empty()) {  // get-route of what is not there
    return AnswerProblem(exchange.reply, 404,
                         Cat("there is no ", Printable(exchange.parameter, 100)));
  }
  AnswerJson(exchange.reply, 200, output);
}

// It must be one that the caller may see before anything is waited for.
actions::Result Door::WaitForEnd(const actions::Call& call, const std::string& task,
                                 Millis patience) {
  actions::Result now = runner_.Run(call, nullptr, stop_.get_token());
  const bool ended = now.exit_code != 0 || !(*now.output)["ended_at"].IsNull();
  if (ended || runner_.tasks() == nullptr) return now;
  const std::shared_ptr<void> place = Place(may_await_);
  if (!place) return now;  // how it stands is no lie
  runner_.tasks()->WaitEnded(task, patience, stop_.get_token());
  return runner_.Run(call, nullptr, stop_.get_token());
}

}  // namespace certwright::api

#include "openapi.h"

#include "answers.h"
#include "certwright/base/text.h"
#include "operations.h"
#include "parameters.h"

namespace certwright::api {

namespace {

using json::Value;

constexpr char kDescription[] =
    "HTTP over UNIX sockets; each socket has a role, and its file mode is who may come in. An answer "
    "of POST /v1/actions/NAME with 'Accept: application/x-ndjson' is a line {\"progress\": ...} for "
    "each step and a last line {\"result\": ...}. On an owner's socket the header Agent-Task-User "
    "names the caller.";

Value Names(const std::vector<std::string>& names) { return Value(names); }

Value Reference(const std::string& component) {
  return Value::Object({{"$ref", "#/components/schemas/" + component}});
}

Value Content(const char* type, Value schema) {
  return Value::Object({{type, Value::Object({{"schema", std::move(schema)}})}});
}

Value Response(std::string description, const char* type, Value schema) {
  return Value::Object(
      {{"description", std::move(description)}, {"content", Content(type, std::move(schema))}});
}

Value Bare(std::string description) {
  return Value::Object({{"description", std::move(description)}});
}

// The schemas of a file of schema/json, with its definitions as components of their own.
void AddComponent(Value& components, const std::string& name, const std::string& kind) {
  const auto schema = actions::SchemaDocument(name, kind);
  if (!schema) return;
  const std::string component = kind.empty() ? name : Cat(name, '.', kind);
  components.Set(component, SchemaObject(*schema, component));
  for (const auto& [defined, inner] : (*schema)["definitions"].Fields()) {
    components.Set(Cat(component, '.', defined), SchemaObject(inner, component));
  }
}

// What every door gives back; `output` where it worked.
Value ResultSchema(Value output, bool worked) {
  Value properties = Value::Object({{"exit_code", Value::Object({{"type", "integer"}})},
                                    {"status", Value::Object({{"type", "string"}})},
                                    {"error", Value::Object({{"type", "string"}})}});
  properties.Set("output", std::move(output));
  if (!worked) properties.Set("failure", Reference("failure"));
  return Value::Object({{"type", "object"},
                        {"required", Names({"exit_code", "status", "error"})},
                        {"properties", std::move(properties)},
                        {"additionalProperties", false}});
}

Value ProblemSchema() {
  const Value text = Value::Object({{"type", "string"}});
  const Value number = Value::Object({{"type", "integer"}});
  return Value::Object({{"type", "object"},
                        {"description", "RFC 9457"},
                        {"required", Names({"type", "title", "status", "detail"})},
                        {"properties", Value::Object({{"type", text},
                                                      {"title", text},
                                                      {"status", number},
                                                      {"detail", text},
                                                      {"exit_code", number},
                                                      {"first", number},
                                                      {"errors", Reference("Violations")},
                                                      {"failure", Reference("failure")}})},
                        {"additionalProperties", false}});
}

Value ViolationsSchema() {
  const Value text = Value::Object({{"type", "string"}});
  const Value one = Value::Object({{"type", "object"},
                                   {"required", Names({"field", "parameter", "error"})},
                                   {"properties", Value::Object({{"field", text},
                                                                 {"parameter", text},
                                                                 {"value", Value::Object()},
                                                                 {"error", text},
                                                                 {"details", text}})}});
  return Value::Object({{"type", "array"}, {"items", one}});
}

struct Status {
  int code;
  const char* description;
};
constexpr Status kFailures[] = {
    {400, "The input is wrong, or failed a check of the action's own"},
    {403, "The socket's role does not allow it"},
    {404, "It is not there"},
    {500, "A fault of ours, of the configuration or of the machine"},
    {502, "The CA or Traefik: not obtained, or not served"},
    {503, "Busy: ask again later"},
};

void AddFailures(Value& responses, const char* type, const Value& schema) {
  for (const Status& status : kFailures) {
    responses.Set(Cat(status.code), Response(status.description, type, schema));
  }
  responses.Set("414", Bare("The target is longer than 8,000 bytes"));
}

// Of what reads events: they are not kept for ever.
void AddGone(Value& responses, const std::string& action, const char* type, const Value& schema) {
  if (action != "events" && action != "replay-events") return;
  responses.Set("410", Response("What was asked for is not kept any more; in a problem, first is the "
                                "number of the first event that is there",
                                type, schema));
}

void AddBodyFailures(Value& responses) {
  responses.Set("411", Bare("There is no Content-Length"));
  responses.Set("413", Bare("The body is larger than 1 MiB"));
}

// An input without anything that has to be there may also be absent, null or "".
Value BodySchema(const std::string& action, bool needed) {
  if (needed) return Reference(action + ".input");
  Value nothing = Value::Object(
      {{"type", "string"}, {"nullable", true}, {"enum", json::Array{Value(""), Value()}}});
  return Value::Object({{"anyOf", json::Array{Reference(action + ".input"), nothing}}});
}

Value ActionItem(const std::string& action) {
  const auto input = actions::SchemaDocument(action, "input");
  const bool needed = input && input->Has("required");
  const auto output = actions::SchemaDocument(action, "output");
  Value responses = Value::Object(
      {{"200", Response("Done", kJson,
                        ResultSchema(output ? Reference(action + ".output") : Value::Object(),
                                     true))}});
  AddFailures(responses, kJson, Reference("Failed"));
  AddGone(responses, action, kJson, Reference("Failed"));
  AddBodyFailures(responses);
  return Value::Object(
      {{"post",
        Value::Object({{"operationId", "run-" + action},
                       {"summary", Cat("Run ", action)},
                       {"requestBody",
                        Value::Object({{"required", needed},
                                       {"content", Content(kJson, BodySchema(action, needed))}})},
                       {"responses", responses}})}});
}

// A character may take twelve bytes of a target, which ends at 8,000.
constexpr std::int64_t kLongestInTarget = 600;

Value Parameter(const std::string& name, const char* place, Value schema,
                const std::string& component) {
  if (schema.Int("maxLength") > kLongestInTarget) schema.Set("maxLength", kLongestInTarget);
  return Value::Object({{"name", name},
                        {"in", place},
                        {"required", std::string_view(place) == "path"},
                        {"description", schema.String("description")},
                        {"schema", SchemaObject(schema, component)}});
}

json::Member EventStream() {
  const Value schema = Value::Object(
      {{"type", "string"},
       {"description", "Server-sent events: id is the event's number, data the event as it is in the "
                       "list; a comment every 15 seconds."}});
  return {kEventStream, Value::Object({{"schema", schema}})};
}

Value LastEventId() {
  return Value::Object({{"name", "Last-Event-ID"},
                        {"in", "header"},
                        {"required", false},
                        {"description", "Of server-sent events: a number, in place of after."},
                        {"schema", Value::Object({{"type", "string"}})}});
}

Value ResourceOperation(const Operation& operation) {
  const std::string action(operation.action);
  const std::string component = action + ".input";
  Value parameters = json::Array{};
  if (const std::string name(ParameterOf(operation)); !name.empty()) {
    const Value schema = (*actions::SchemaDocument(action, "input"))["properties"][name];
    parameters.Append(Parameter(name, "path", schema, component));
  }
  for (const auto& [name, schema] : QueryParameters(operation)) {
    parameters.Append(Parameter(name, "query", schema, component));
  }
  Value found = Response("What it is", kJson, Reference(action + ".output"));
  if (operation.wait_for == WaitFor::kEvents) {
    found.Set("content", Value::FromMembers({found["content"].Fields().front(), EventStream()}));
    parameters.Append(LastEventId());
  }
  Value responses = Value::Object({{"200", std::move(found)}});
  AddFailures(responses, kProblem, Reference("Problem"));
  AddGone(responses, action, kProblem, Reference("Problem"));
  return Value::Object({{"operationId", Cat(ToLower(operation.method), '-', action)},
                        {"summary", operation.summary},
                        {"parameters", parameters},
                        {"responses", responses}});
}

Value SubmitOperation(const Operation& operation) {
  const Value location = Value::Object(
      {{"Location", Value::Object({{"description", "Of the task"},
                                   {"schema", Value::Object({{"type", "string"}})}})}});
  Value accepted = Response("It will be done", kJson, Reference("task.output"));
  accepted.Set("headers", location);
  Value responses = Value::Object({{"202", accepted}});
  AddFailures(responses, kProblem, Reference("Problem"));
  AddBodyFailures(responses);
  const Value body =
      Value::Object({{"required", true}, {"content", Content(kJson, Reference("task.input"))}});
  return Value::Object({{"operationId", "submit-task"},
                        {"summary", operation.summary},
                        {"requestBody", body},
                        {"responses", responses}});
}

Value PlainOperation(const Operation& operation, const char* id) {
  return Value::Object(
      {{"operationId", id},
       {"summary", operation.summary},
       {"responses",
        Value::Object({{"200", Response("What it is", kJson, Value::Object({{"type", "object"}}))},
                       {"400", Response("There are no parameters", kProblem,
                                        Reference("Problem"))}})}});
}

Value MetricsOperation(const Operation& operation) {
  Value responses = Value::Object(
      {{"200", Response("What it is", "text/plain", Value::Object({{"type", "string"}}))}});
  AddFailures(responses, kProblem, Reference("Problem"));
  return Value::Object(
      {{"operationId", "metrics"}, {"summary", operation.summary}, {"responses", responses}});
}

Value OperationObject(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kHealth: return PlainOperation(operation, "health");
    case OperationKind::kDescription: return PlainOperation(operation, "description");
    case OperationKind::kActions: return PlainOperation(operation, "actions");
    case OperationKind::kMetrics: return MetricsOperation(operation);
    case OperationKind::kSubmitTask: return SubmitOperation(operation);
    case OperationKind::kResource: return ResourceOperation(operation);
    case OperationKind::kRunAction: return {};  // told action by action
  }
  return {};
}

Value Paths(const actions::Runner& runner) {
  Value paths = Value::Object();
  for (const Operation& operation : Operations()) {
    if (operation.kind == OperationKind::kRunAction || !IsOffered(operation, runner)) continue;
    Value item = paths[operation.path];
    item.Set(ToLower(operation.method), OperationObject(operation));
    paths.Set(operation.path, item);
  }
  for (const std::string& action : runner.action_names()) {
    paths.Set("/v1/actions/" + action, ActionItem(action));
  }
  return paths;
}

}  // namespace

Value OpenApi(const actions::Runner& runner, const std::string& version) {
  Value schemas = Value::Object({{"Problem", ProblemSchema()}, {"Violations", ViolationsSchema()}});
  schemas.Set("Failed", ResultSchema(Reference("Violations"), false));
  AddComponent(schemas, "failure", "");
  AddComponent(schemas, "task", "input");
  AddComponent(schemas, "task", "output");
  for (const std::string& action : runner.action_names()) {
    AddComponent(schemas, action, "input");
    AddComponent(schemas, action, "output");
  }
  return Value::Object({{"openapi", "3.0.3"},
                        {"info", Value::Object({{"title", "Certwright"},
                                                {"version", version},
                                                {"description", kDescription}})},
                        {"paths", Paths(runner)},
                        {"components", Value::Object({{"schemas", schemas}})}});
}

}  // namespace certwright::api

#include <optional>

#include "certwright/api/server.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "certwright/json/failure.h"
#include "progress_json.h"
#include "target.h"

namespace certwright::api {

namespace {

// A server on its way out takes no calls any more (http::SocketServer).
constexpr int kStopping = 503;

[[noreturn]] void FailStopping(const Path& socket) {
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.detail = Cat("the daemon at ", socket.string(), " is stopping");
  failure.advice = "try again when it has started";
  failure.transient = true;
  throw Error(std::move(failure));
}

}  // namespace

void CheckDaemon(const Path& socket) {
  constexpr Millis kPatience{3'000};
  http::Request request;
  request.url = "/v1/health";
  int status = 0;
  try {
    status = http::SendToSocket(
        socket, request, [](std::string_view) {}, kPatience);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kNetwork || error.failure().transient) throw;
    throw Error(FailureCode::kBusy,
                Cat("the daemon at ", socket.string(), " does not answer: ", error.what()),
                "see its log; restart it if it hangs");
  }
  if (status == kStopping) FailStopping(socket);
}

actions::Result CallDaemon(const Path& socket, const actions::Call& call,
                           const model::ProgressSink& progress) {
  http::Request request;
  request.method = "POST";
  // What a person typed as an action must not turn into another path, a query or another action.
  request.url = Cat("/v1/actions/", Escaped(call.action));
  request.content_type = "application/json";
  request.headers = {{"Accept", "application/x-ndjson"}};
  if (!call.caller.empty()) request.headers.emplace_back("Agent-Task-User", call.caller);
  if (!call.upload_verify.empty()) {
    request.headers.emplace_back("Upload-Certificate-Verify-Type", call.upload_verify);
  }
  request.body = call.input;

  std::optional<actions::Result> result;
  json::ParseLimits limits;
  limits.max_bytes = 1 << 30;  // our own daemon; a list takes some 500 bytes a certificate
  const int status = http::SendToSocket(socket, request, [&](std::string_view line) {
    if (Trim(line).empty()) return;
    const json::Value value = json::Parse(line, limits);
    if (value.Has("progress") && progress) progress(ProgressFromJson(value["progress"]));
    if (value.Has("result")) result = actions::Result::FromJson(value["result"]);
    if (value.Has("exit_code")) result = actions::Result::FromJson(value);  // refused as a whole
  });
  if (result) return *result;
  if (status == kStopping) FailStopping(socket);
  throw Error(FailureCode::kNetwork, Cat("the daemon gave no result (HTTP ", status, ")"),
              "see the daemon's log; it may have been stopped meanwhile");
}

void FollowEvents(const Path& socket, std::int64_t after, const std::string& kind,
                  const std::function<void(const json::Value&)>& on_event) {
  constexpr Millis kSilence{60'000};  // there is a comment every 15 s
  constexpr std::string_view kData = "data: ";
  http::Request request;
  request.url = Cat("/v1/events?after=", after, kind.empty() ? "" : Cat("&kind=", Escaped(kind)));
  request.headers = {{"Accept", "text/event-stream"}};
  std::string problem;
  const auto on_line = [&](std::string_view line) {
    if (line.starts_with(kData)) on_event(json::Parse(line.substr(kData.size()), {1 << 20, 32}));
    if (line.starts_with('{')) problem = line;
  };
  const int status = http::SendToSocket(socket, request, on_line, kSilence);
  if (status == 200) return;
  if (status == kStopping) FailStopping(socket);
  const json::Value told = problem.empty() ? json::Value() : json::Parse(problem);
  if (told["failure"].IsObject()) throw Error(json::FailureFromJson(told["failure"]));
  throw Error(FailureCode::kProtocol, Cat("the daemon gave no events (HTTP ", status, "): ",
                                          Printable(told.String("detail"))));
}

}  // namespace certwright::api

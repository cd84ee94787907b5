#include <optional>

#include "certwright/api/server.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "progress_json.h"

namespace certwright::api {

void CheckDaemon(const Path& socket) {
  constexpr Millis kPatience{3'000};
  http::Request request;
  request.url = "/v1/health";
  try {
    http::SendToSocket(
        socket, request, [](std::string_view) {}, kPatience);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kNetwork) throw;
    throw Error(FailureCode::kBusy,
                Cat("the daemon at ", socket.string(), " does not answer: ", error.what()),
                "see its log; restart it if it hangs");
  }
}

actions::Result CallDaemon(const Path& socket, const actions::Call& call,
                           const model::ProgressSink& progress) {
  http::Request request;
  request.method = "POST";
  request.url = Cat("/v1/actions/", call.action);
  request.content_type = "application/json";
  request.headers = {{"Accept", "application/x-ndjson"}};
  if (!call.caller.empty()) request.headers.emplace_back("Agent-Task-User", call.caller);
  request.body = call.input;

  std::optional<actions::Result> result;
  json::ParseLimits limits;
  limits.max_bytes = 64 << 20;  // our own daemon; a list may be long
  const int status = http::SendToSocket(socket, request, [&](std::string_view line) {
    if (Trim(line).empty()) return;
    const json::Value value = json::Parse(line, limits);
    if (value.Has("progress") && progress) progress(ProgressFromJson(value["progress"]));
    if (value.Has("result")) result = actions::Result::FromJson(value["result"]);
  });
  if (result) return *result;
  throw Error(FailureCode::kNetwork, Cat("the daemon gave no result (HTTP ", status, ")"),
              "see the daemon's log; it may have been stopped meanwhile");
}

}  // namespace certwright::api

#include "certwright/api/server.h"

#include <memory>
#include <semaphore>
#include <stop_token>

#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "certwright/json/value.h"
#include "progress_json.h"

namespace certwright::api {

namespace {

constexpr std::string_view kActions = "/v1/actions/";
constexpr char kJson[] = "application/json";
constexpr char kLines[] = "application/x-ndjson";

int HttpStatusOf(const actions::Result& result) {
  if (result.exit_code == 0) return 200;
  if (result.status == "validation-failed") return 400;
  switch (result.exit_code) {
    case 2:
    case 8: return 404;
    case 3: return 502;
    case 7: return 403;
    case 64: return 400;
    case 75: return 503;
    default: return 500;
  }
}

void RefuseRequest(http::ServerReply& reply, int status, std::string text) {
  reply.Whole(status, kJson, json::Write(json::Value::Object({{"error", std::move(text)}})));
}

}  // namespace

// The others answer what needs no waiting, whatever the CA does.
constexpr int kMostWaiting = 48;
constexpr int kOthers = 16;
// Of an owner, who may import all that another client holds; the actions have their own limits.
constexpr std::size_t kLargestInput = 64 << 20;

actions::Result TooManyWait() {
  Failure failure;
  failure.code = FailureCode::kBusy;
  failure.detail = Cat(kMostWaiting, " calls wait for the CA or for Traefik already");
  failure.advice = "ask again later";
  failure.transient = true;
  return actions::FromFailure(failure);
}

struct Server::Impl {
  Impl(const actions::Runner& given_runner, std::string given_version)
      : runner(given_runner), version(std::move(given_version)) {}

  const actions::Runner& runner;
  std::string version;
  std::stop_source stop;
  std::counting_semaphore<kMostWaiting> may_wait{kMostWaiting};
  std::vector<std::unique_ptr<http::SocketServer>> servers;  // last: gone first

  void Answer(const Socket& socket, const http::ServerRequest& request, http::ServerReply& reply) {
    if (request.path == "/v1/health") {
      if (request.method != "GET") return RefuseRequest(reply, 405, "health is read with GET");
      const json::Value health = json::Value::Object({{"status", "ok"}, {"version", version}});
      return reply.Whole(200, kJson, json::Write(health));
    }
    if (!request.path.starts_with(kActions)) {
      return RefuseRequest(reply, 404, "there is nothing here; see /v1/actions/NAME");
    }
    if (request.method != "POST") return RefuseRequest(reply, 405, "actions are called with POST");

    actions::Call call;
    call.action = request.path.substr(kActions.size());
    call.input = request.body;
    call.role = socket.role;
    call.caller = socket.caller;
    if (socket.role == "owner" && !request.Header("agent-task-user").empty()) {
      call.caller = std::string(request.Header("agent-task-user"));
    }
    call.upload_verify = std::string(request.Header("upload-certificate-verify-type"));
    const bool waits = actions::MayWait(call.action);
    if (waits && !may_wait.try_acquire()) {
      const actions::Result refused = TooManyWait();
      return reply.Whole(HttpStatusOf(refused), kJson, json::Write(refused.ToJson()));
    }
    const std::shared_ptr<void> place(nullptr, [&](void*) {
      if (waits) may_wait.release();
    });
    if (request.Header("accept").find(kLines) == std::string_view::npos) {
      const actions::Result result = runner.Run(call, nullptr, stop.get_token());
      return reply.Whole(HttpStatusOf(result), kJson, json::Write(result.ToJson()));
    }
    reply.StartLines(200, kLines);
    const actions::Result result = runner.Run(
        call,
        [&](const model::Progress& step) {
          reply.Line(json::Write(json::Value::Object({{"progress", ToJson(step)}})));
        },
        stop.get_token());
    reply.Line(json::Write(json::Value::Object({{"result", result.ToJson()}})));
  }
};

Server::Server(const actions::Runner& runner, const std::vector<Socket>& sockets,
               std::string version)
    : impl_(std::make_unique<Impl>(runner, std::move(version))) {
  for (const Socket& socket : sockets) {
    http::SocketServerOptions options;
    options.threads = kMostWaiting + kOthers;
    if (socket.role == "owner") options.max_body = kLargestInput;
    options.path = socket.path;
    options.mode = socket.mode;
    options.group = socket.group;
    impl_->servers.push_back(std::make_unique<http::SocketServer>(
        options,
        [impl = impl_.get(), socket](const http::ServerRequest& request, http::ServerReply& reply) {
          impl->Answer(socket, request, reply);
        }));
  }
}

Server::~Server() { impl_->stop.request_stop(); }

}  // namespace certwright::api

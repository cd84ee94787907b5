// HTTP over UNIX sockets -> actions. One socket a role: its file mode is who may come in.
//
//   GET    /v1/health               {"status": "ok", "version": ...}
//   GET    /v1/openapi.json         what is here, as OpenAPI 3
//   GET    /v1/actions              names and schemas of the actions
//   POST   /v1/actions/NAME         body: the action's input. Answer: actions::Result as JSON, or with
//                                   "Accept: application/x-ndjson" a line {"progress": ...} for each
//                                   step and a last line {"result": ...}
//   POST   /v1/tasks                {action, data, parent, extra}: 202, its id and its Location; see
//                                   actions::Tasks
//   GET    /v1/tasks                the actions tasks, show-task and cancel-task: each caller's own,
//   GET    /v1/tasks/ID             an owner's all. ?wait=SECONDS (60 at most) answers when the task
//   DELETE /v1/tasks/ID             has ended, or the time is over
//   GET    /v1/certificates[/NAME]  list, show          GET /v1/plan     plan
//   GET    /v1/routes[/INSTANCE]    list-routes, get-route          /v1/ledger   ledger
//   GET    /v1/account              account-show                    /v1/audit    audit
//   GET    /v1/events               events; ?wait=SECONDS waits for one. With "Accept:
//                                   text/event-stream" they come as server-sent events, from after
//                                   or Last-Event-ID on, else from now on
//   GET    /v1/status               status                          /v1/metrics  metrics, as text
//
// The resources run the action named there, with what path and query say as its input, and give its
// output; roles are the action's. Their errors are application/problem+json (RFC 9457).
//
// HTTP status by exit code: 200: 0. 400: validation-failed (any code), 64. 403: 7, denied. 404: 2
// not there, 8 no such action. 410: 2, events that are not kept any more. 502: 3, the CA or Traefik. 503: 75, busy. 500: any other, ours. And
// 202 a task was taken; 405 with Allow; 411, 413, 414, 415, 501 for requests that are not read.
//
// On an owner's socket the header Agent-Task-User names the caller; on others the configuration
// does. Upload-Certificate-Verify-Type is heard from an owner only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "certwright/actions/runner.h"
#include "certwright/base/file.h"

namespace certwright::api {

struct Socket {
  Path path;
  std::string role = "owner";
  mode_t mode = 0600;
  std::string group;
  std::string caller;
};

class Server {
 public:
  // Listens at once. Throws as http::SocketServer.
  Server(const actions::Runner& runner, const std::vector<Socket>& sockets, std::string version);
  ~Server();  // tells handlers to stop, and waits for them

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Asks the daemon behind a socket whether it is well. Throws Error(kBusy) where it takes the
// connection and does not answer within three seconds: it hangs. Throws Error(kNetwork), transient,
// where it is not there (any more): it stops, or reads its configuration again.
void CheckDaemon(const Path& socket);

// Runs an action through a daemon's socket; the same result as Runner::Run gives in process.
// Throws Error(kNetwork) where the daemon goes away meanwhile: transient where it had not begun.
actions::Result CallDaemon(const Path& socket, const actions::Call& call,
                           const model::ProgressSink& progress);

// Gives each event with a number above `after` as it comes, as a feed entry, until the daemon ends
// the answer. Of `kind` only where it is not "". Throws Error: what the daemon says against it
// (kGone), kNetwork where it is not there (any more).
void FollowEvents(const Path& socket, std::int64_t after, const std::string& kind,
                  const std::function<void(const json::Value&)>& on_event);

}  // namespace certwright::api

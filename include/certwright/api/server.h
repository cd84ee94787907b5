// HTTP over UNIX sockets -> actions. One socket a role: its file mode is who may come in.
//
//   GET  /v1/health           {"status": "ok", "version": ...}
//   POST /v1/actions/NAME     body: the action's input. Answer: actions::Result as JSON, or with
//                             "Accept: application/x-ndjson" a line {"progress": ...} for each step
//                             and a last line {"result": ...}
//
// HTTP status: 200, or 400 validation, 403 denied, 404 unknown action or thing, 502 the CA's, 500
// ours. On an owner's socket the header Agent-Task-User names the caller; on others the
// configuration does. Upload-Certificate-Verify-Type is heard from an owner only.
#pragma once

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

}  // namespace certwright::api

// HTTP over UNIX sockets: the daemon's API and the command line that speaks to it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "certwright/base/file.h"
#include "certwright/http/transport.h"

namespace certwright::http {

struct ServerRequest {
  std::string method;
  std::string target;  // as it was sent: path and query, nothing decoded
  Headers headers;   // names in lower case
  std::string body;
  std::string_view Header(std::string_view name) const;
};

// How a handler answers: whole, or line by line while it works.
class ServerReply {
 public:
  virtual ~ServerReply() = default;
  virtual void Whole(int status, std::string content_type, std::string body,
                     Headers headers = {}) = 0;
  // Starts a chunked answer; each Line is sent (with a newline) at once. Line returns false when
  // the caller is gone: the work may go on, there is nobody to tell.
  virtual void StartLines(int status, std::string content_type) = 0;
  virtual bool Line(std::string_view text) = 0;
};

// What is said of a request that is refused before the handler sees it.
struct SocketRefusal {
  std::string content_type;
  std::string body;
};

struct SocketServerOptions {
  Path path;
  mode_t mode = 0600;
  std::string group;  // "" : ours
  std::size_t max_body = 1 << 20;
  std::size_t threads = 64;  // answers that may be under way at once
  std::function<SocketRefusal(int status)> refusal = nullptr;  // null: an empty body
};

// One listener on one UNIX socket. Refuses Transfer-Encoding, Content-Encoding and bodies over the
// limit before they are read; one request a connection; a stale socket file is removed where nobody
// answers.
class SocketServer {
 public:
  using Handler = std::function<void(const ServerRequest&, ServerReply&)>;
  // Listens at once. Throws Error(kBusy) where another process answers there, Error(kPermission |
  // kDisk).
  SocketServer(SocketServerOptions options, Handler handler);
  ~SocketServer();  // stops accepting, waits for answers under way

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether somebody listens on this socket.
bool SocketAnswers(const Path& path);

// Sends one request; `on_line` gets each line of the answer as it comes (the last without newline
// too). Returns the status. Throws Error(kNetwork) where nobody answers or the answer ends early;
// transient where not a byte of an answer came, so that sending it again does no harm. `silence` is
// the longest time without a byte (then it is not transient); the default is what an action may
// need.
int SendToSocket(const Path& path, const Request& request,
                 const std::function<void(std::string_view)>& on_line,
                 Millis silence = std::chrono::minutes(10));

}  // namespace certwright::http

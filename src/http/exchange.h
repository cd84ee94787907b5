// One request at the socket, between the thread that works and the thread that writes.
//
// cpp-httplib sends status and headers before it asks for content, so a handler that streams cannot
// run inside its content provider and still choose its status. It runs on a thread of its own; the
// listener's thread waits until the handler has chosen, then carries its lines to the caller.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "certwright/http/local_socket.h"

namespace certwright::http {

class Exchange : public ServerReply {
 public:
  // Starts the handler.
  Exchange(ServerRequest request, const SocketServer::Handler& handler);
  ~Exchange() override;  // waits for the handler, whose further lines go nowhere

  void Whole(int status, std::string content_type, std::string body, Headers headers) override;
  void StartLines(int status, std::string content_type) override;
  bool Line(std::string_view text) override;

  struct Choice {
    bool lines = false;
    int status = 0;
    std::string content_type;
    std::string body;
    Headers headers;
  };
  // Waits for Whole (and then for the handler's end), or for StartLines.
  Choice WaitForChoice();
  // Writes each line as it comes, until the handler has ended: true. False: the caller is gone, or
  // the handler failed in the middle.
  bool WriteLines(const std::function<bool(std::string_view)>& write);

 private:
  void Run(const ServerRequest& request, const SocketServer::Handler& handler);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Choice> choice_;
  std::optional<std::string> line_;  // waits to be written
  bool gone_ = false;
  bool ended_ = false;
  bool failed_ = false;
  std::thread worker_;
};

}  // namespace certwright::http

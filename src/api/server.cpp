#include "certwright/api/server.h"

#include "answers.h"
#include "door.h"

namespace certwright::api {

// Of an owner, who may import all that another client holds; the actions have their own limits.
constexpr std::size_t kLargestInput = 64 << 20;

struct Server::Impl {
  Impl(const actions::Runner& runner, std::string version) : door(runner, std::move(version)) {}

  Door door;
  std::vector<std::unique_ptr<http::SocketServer>> servers;  // last: gone first
};

Server::Server(const actions::Runner& runner, const std::vector<Socket>& sockets,
               std::string version)
    : impl_(std::make_unique<Impl>(runner, std::move(version))) {
  for (const Socket& socket : sockets) {
    http::SocketServerOptions options;
    options.threads = kMostWaiting + 2 * kMostPolling + kMostFollowing + kOthers;
    if (socket.role == "owner") options.max_body = kLargestInput;
    options.refusal = [most = options.max_body](int status) { return RefusalOf(status, most); };
    options.path = socket.path;
    options.mode = socket.mode;
    options.group = socket.group;
    impl_->servers.push_back(std::make_unique<http::SocketServer>(
        options, [&door = impl_->door, socket](const http::ServerRequest& request,
                                               http::ServerReply& reply) {
          door.Answer(socket, request, reply);
        }));
  }
}

Server::~Server() { impl_->door.Stop(); }

}  // namespace certwright::api

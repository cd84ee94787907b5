#include "listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "patience.h"

namespace certwright::http {
namespace {

constexpr int kBacklog = 512;

const char* AdviceFor(int error) {
  switch (error) {
    case EADDRINUSE:
      return "another program listens there (ss -ltnp shows which): stop it, or set another "
             "http01.listen";
    case EACCES:
    case EPERM:
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE "
             "(systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)";
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return "this machine has no such address: set another http01.listen";
    default: return "set another http01.listen";
  }
}

// 0, or the errno.
int TryListen(const Endpoint& endpoint, Fd& out) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  if (inet_pton(AF_INET6, endpoint.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(endpoint.port));
    size = sizeof *six;
  } else {
    storage = {};
    if (inet_pton(AF_INET, endpoint.host.c_str(), &four->sin_addr) != 1) return EINVAL;
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<std::uint16_t>(endpoint.port));
    size = sizeof *four;
  }
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  const int on = 1, off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (storage.ss_family == AF_INET6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, endpoint.host == "::" ? &off : &on, sizeof on);
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return errno;
  if (listen(fd.get(), kBacklog) != 0) return errno;
  out = std::move(fd);
  return 0;
}

}  // namespace

Fd ListenTcp(const Endpoint& endpoint) {
  Fd fd;
  int error = TryListen(endpoint, fd);
  if (endpoint.host == "::" && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)) {
    error = TryListen({"0.0.0.0", endpoint.port}, fd);
  }
  if (error == 0) return fd;
  const bool six = endpoint.host.find(':') != std::string::npos;
  throw Error(FailureCode::kConfig,
              Cat("cannot listen on ", six ? "[" : "", endpoint.host, six ? "]:" : ":",
                  endpoint.port, ": ", ErrnoWords(error)),
              AdviceFor(error));
}

int LocalPort(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  // sin_port and sin6_port are at the same place (RFC 3493 section 3.10).
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

}  // namespace certwright::http

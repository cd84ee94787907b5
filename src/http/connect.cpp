#include "connect.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "public_address.h"

namespace certwright::http {
namespace {

constexpr Millis kAttemptDelay{250};  // RFC 8305 section 5
constexpr std::size_t kMaxAddresses = 8;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = 0;
};

struct Lookup {
  std::mutex mutex;
  std::condition_variable_any done;
  bool finished = false;
  int error = 0;
  std::vector<Address> addresses;
};

// One address of each family in turn (RFC 8305 section 4), the resolver's first choice first.
std::vector<Address> Interleave(const addrinfo* list) {
  std::vector<Address> first, other, mixed;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    if (item->ai_addrlen > sizeof(sockaddr_storage)) continue;
    Address address;
    std::memcpy(&address.storage, item->ai_addr, item->ai_addrlen);
    address.size = item->ai_addrlen;
    address.family = item->ai_family;
    (item->ai_family == list->ai_family ? first : other).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < other.size()) mixed.push_back(other[i]);
  }
  if (mixed.size() > kMaxAddresses) mixed.resize(kMaxAddresses);
  return mixed;
}

int Resolve(const std::string& host, int port, int flags, std::vector<Address>& out) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return error;
  out = Interleave(list);
  freeaddrinfo(list);
  return 0;
}

// getaddrinfo cannot be interrupted and may take longer than the whole exchange, so it runs on a
// thread of its own that is left behind when the patience ends; what they share outlives both.
std::vector<Address> ResolveWithin(const std::string& host, int port, Patience& patience) {
  std::vector<Address> literal;
  if (Resolve(host, port, AI_NUMERICHOST, literal) == 0) return literal;

  auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port] {
    std::vector<Address> addresses;
    const int error = Resolve(host, port, 0, addresses);
    const std::lock_guard lock(lookup->mutex);
    lookup->error = error;
    lookup->addresses = std::move(addresses);
    lookup->finished = true;
    lookup->done.notify_all();
  }).detach();
  std::unique_lock lock(lookup->mutex);
  lookup->done.wait_for(lock, patience.stop(), patience.Left(), [&] { return lookup->finished; });
  if (patience.stop().stop_requested()) patience.ThrowStopped();
  if (!lookup->finished) {
    patience.ThrowNetwork("the name was not resolved in time", "check this machine's DNS servers");
  }
  if (lookup->error != 0) {
    patience.ThrowNetwork(
        Cat("the name cannot be resolved: ", ToLower(gai_strerror(lookup->error))),
        "check the name and this machine's DNS servers");
  }
  return std::move(lookup->addresses);
}

void LeaveOwnOut(std::vector<Address>& addresses, const Patience& patience) {
  std::erase_if(addresses, [](const Address& address) {
    return !IsPublicAddress(reinterpret_cast<const sockaddr*>(&address.storage));
  });
  if (!addresses.empty()) return;
  throw Error(FailureCode::kDenied,
              Cat(patience.peer(), ": all its addresses are of this machine or of a private network"),
              "allow them where that is meant");
}

// Starts one attempt: 0, or the errno.
int Start(const Address& address, Fd& out) {
  Fd fd(socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  const int one = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(fd.get(), target, address.size) != 0 && errno != EINPROGRESS) return errno;
  out = std::move(fd);
  return 0;
}

int SocketError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// The first attempt that has succeeded; failed ones are dropped, their errno kept.
Fd Harvest(std::vector<Fd>& pending, const std::vector<pollfd>& polled, int& error) {
  std::vector<Fd> waiting;
  Fd winner;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (polled[i].revents == 0) {
      waiting.push_back(std::move(pending[i]));
    } else if (const int failed = SocketError(pending[i].get()); failed != 0) {
      error = failed;
    } else if (!winner) {
      winner = std::move(pending[i]);
    }
  }
  pending = std::move(waiting);
  return winner;
}

}  // namespace

Fd Connect(const std::string& host, int port, Millis connect_timeout, Patience& patience,
           bool public_only) {
  std::vector<Address> addresses = ResolveWithin(host, port, patience);
  if (public_only) LeaveOwnOut(addresses, patience);
  const Steady end = SystemClock().SteadyNow() + connect_timeout;
  std::vector<Fd> pending;
  std::size_t next = 0;
  int error = 0;
  while (next < addresses.size() || !pending.empty()) {
    if (next < addresses.size()) {
      Fd fd;
      if (const int failed = Start(addresses[next++], fd); failed != 0) {
        error = failed;
        continue;
      }
      pending.push_back(std::move(fd));
    }
    const Millis left = std::chrono::ceil<Millis>(end - SystemClock().SteadyNow());
    if (left <= Millis(0)) {
      patience.ThrowNetwork("no connection in time", "check the network and the firewall");
    }
    std::vector<pollfd> polled;
    for (const Fd& fd : pending) polled.push_back({fd.get(), POLLOUT, 0});
    const Millis slice = next < addresses.size() ? std::min(kAttemptDelay, left) : left;
    if (!patience.WaitAny(polled.data(), polled.size(), slice)) continue;
    if (Fd winner = Harvest(pending, polled, error)) return winner;
  }
  patience.ThrowNetwork(ErrnoWords(error == 0 ? EADDRNOTAVAIL : error));
}

}  // namespace certwright::http

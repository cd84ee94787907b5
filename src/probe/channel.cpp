#include "channel.h"

#include <ares.h>
#include <ares_nameser.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "certwright/base/text.h"

namespace certwright::probe {
namespace {

constexpr int kTryMillis = 2'000;
constexpr int kTries = 2;
constexpr int kUdpPayload = 1232;  // no fragments on any usual path
constexpr long kLongestNapMicros = 100'000;

// c-ares writes to TCP sockets without MSG_NOSIGNAL: a server that hangs up must not end a process
// that has not blocked the signal.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutPipeSignal() {
    const timespec at_once{};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

class Channel {
 public:
  explicit Channel(const DnsOptions& options) {
    static const int ready = ares_library_init(ARES_LIB_INIT_ALL);
    ares_options wanted{};
    wanted.flags = ARES_FLAG_EDNS;
    wanted.timeout = kTryMillis;
    wanted.tries = kTries;
    wanted.ednspsz = kUdpPayload;
    status_ = ready != ARES_SUCCESS
                  ? ready
                  : ares_init_options(&channel_, &wanted,
                                      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                          ARES_OPT_EDNSPSZ);
    made_ = status_ == ARES_SUCCESS;
    if (made_ && !options.servers.empty()) {
      status_ = ares_set_servers_ports_csv(channel_, Join(options.servers, ",").c_str());
    }
  }
  ~Channel() {
    if (made_) ares_destroy(channel_);  // what is still open is called back first
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int status() const { return status_; }

  void Send(Query& query) {
    ares_query(channel_, query.name.c_str(), ns_c_in, query.type, Answered, &query);
  }

  void Cancel() { ares_cancel(channel_); }

  // Waits for a moment, and takes what has come.
  void Turn() {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int bits = ares_getsock(channel_, sockets, ARES_GETSOCK_MAXNUM);
    std::vector<pollfd> polled;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      short events = 0;
      if (ARES_GETSOCK_READABLE(bits, i)) events |= POLLIN;
      if (ARES_GETSOCK_WRITABLE(bits, i)) events |= POLLOUT;
      if (events != 0) polled.push_back({sockets[i], events, 0});
    }
    timeval longest{0, kLongestNapMicros};
    timeval nap{};
    const timeval* wait = ares_timeout(channel_, &longest, &nap);
    poll(polled.data(), polled.size(), static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000));
    for (const pollfd& ready : polled) {
      const bool in = (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      const bool out = (ready.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
      if (in || out) {
        ares_process_fd(channel_, in ? ready.fd : ARES_SOCKET_BAD, out ? ready.fd : ARES_SOCKET_BAD);
      }
    }
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what has timed out
  }

 private:
  static void Answered(void* argument, int status, int, unsigned char* message, int length) {
    auto& query = *static_cast<Query*>(argument);
    query.status = status;
    if (message != nullptr && length > 0) {
      query.message.assign(reinterpret_cast<const char*>(message),
                           static_cast<std::size_t>(length));
    }
  }

  ares_channel channel_{};
  int status_ = ARES_SUCCESS;
  bool made_ = false;
};

}  // namespace

void Ask(const DnsOptions& options, std::vector<Query>& queries, std::stop_token stop) {
  const WithoutPipeSignal quiet;
  Channel channel(options);
  if (channel.status() != ARES_SUCCESS) {
    for (Query& query : queries) query.status = channel.status();
    return;
  }
  const auto waits = [](const Query& query) { return query.status == -1; };
  const Steady end = SystemClock().SteadyNow() + options.timeout;
  for (Query& query : queries) channel.Send(query);
  while (std::any_of(queries.begin(), queries.end(), waits)) {
    if (stop.stop_requested() || SystemClock().SteadyNow() >= end) {
      channel.Cancel();
      break;
    }
    channel.Turn();
  }
}

bool IsNothing(int status) { return status == ARES_ENODATA || status == ARES_ENOTFOUND; }

std::string StatusWords(int status) {
  switch (status) {
    case ARES_ESERVFAIL: return "the DNS server says SERVFAIL";
    case ARES_EREFUSED: return "the DNS server refuses to answer";
    case ARES_ECONNREFUSED: return "no DNS server can be reached, or those that can say that they fail";
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED: return "no DNS server answers in time";
    default: return ToLower(ares_strerror(status));
  }
}

}  // namespace certwright::probe

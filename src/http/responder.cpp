#include "certwright/http/responder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/file.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "listener.h"
#include "patience.h"
#include "request_parser.h"

namespace certwright::http {
namespace {

constexpr int kAcceptsAtOnce = 64;                // then those under way get their turn
constexpr std::size_t kMaxDiscarded = 64 * 1024;  // read after the answer, so that it arrives
constexpr Millis kAcceptPause{50};                // where the machine has no descriptor left

enum class Phase { kReading, kWriting, kLingering };

struct Connection {
  Fd fd;
  Steady deadline;
  Phase phase = Phase::kReading;
  RequestParser request;
  std::string out;
  std::size_t sent = 0;
  std::size_t discarded = 0;
  std::function<void()> after;
};

std::string_view Reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    default: return "Answer";
  }
}

std::string Render(const ResponderAnswer& answer, bool head) {
  std::string text =
      Cat("HTTP/1.1 ", answer.status, " ", Reason(answer.status), "\r\n",
          "Content-Type: ", answer.content_type, "\r\n", "Content-Length: ", answer.body.size(),
          "\r\n", answer.status == 405 ? "Allow: GET, HEAD\r\n" : "", "Connection: close\r\n\r\n");
  if (!head) text.append(answer.body);
  return text;
}

ResponderAnswer Plain(int status) {
  return {status, "text/plain; charset=utf-8", Cat(Reason(status), "\n")};
}

}  // namespace

struct Responder::Impl {
  Impl(ResponderOptions given, Handler given_handler)
      : options(std::move(given)),
        handler(std::move(given_handler)),
        listener(ListenTcp(options.listen)),
        port(LocalPort(listener.get())),
        stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!stop) throw Error(FailureCode::kConfig, Cat("no eventfd: ", ErrnoWords(errno)));
    thread = std::thread([this] { Loop(); });
  }

  ~Impl() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop.get(), &one, sizeof one);
    thread.join();
  }

  void Loop();
  void Accept();
  // False where the connection is to be closed. All of them return at the first EAGAIN.
  bool Advance(Connection& connection);
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  bool Linger(Connection& connection);
  void Answer(Connection& connection);
  Millis UntilNextDeadline() const;

  const ResponderOptions options;
  const Handler handler;
  const Fd listener;
  const int port;
  const Fd stop;
  // The oldest first, so the first deadline too.
  std::list<Connection> connections;
  Steady accept_again{};  // no accept before; set where descriptors ran out
  std::thread thread;
};

Millis Responder::Impl::UntilNextDeadline() const {
  const Steady now = SystemClock().SteadyNow();
  Steady next = Steady::max();
  if (!connections.empty()) next = connections.front().deadline;
  if (accept_again > now) next = std::min(next, accept_again);
  if (next == Steady::max()) return Millis(-1);
  return std::max(std::chrono::ceil<Millis>(next - now), Millis(0));
}

void Responder::Impl::Loop() {
  std::vector<pollfd> polled;
  for (;;) {
    const bool accepting = SystemClock().SteadyNow() >= accept_again;
    polled.clear();
    polled.push_back({stop.get(), POLLIN, 0});
    polled.push_back({accepting ? listener.get() : -1, POLLIN, 0});
    for (const Connection& connection : connections) {
      const short events = connection.phase == Phase::kWriting ? POLLOUT : POLLIN;
      polled.push_back({connection.fd.get(), events, 0});
    }
    poll(polled.data(), polled.size(), static_cast<int>(UntilNextDeadline().count()));
    if (polled[0].revents != 0) return;

    const Steady now = SystemClock().SteadyNow();
    std::size_t i = 2;
    for (auto it = connections.begin(); it != connections.end(); ++i) {
      const bool keep = now < it->deadline && (polled[i].revents == 0 || Advance(*it));
      it = keep ? std::next(it) : connections.erase(it);
    }
    if (polled[1].revents != 0) Accept();
  }
}

void Responder::Impl::Accept() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        if (!connections.empty()) connections.pop_front();
        accept_again = SystemClock().SteadyNow() + kAcceptPause;
      }
      return;
    }
    if (connections.size() >= options.max_connections) connections.pop_front();
    Connection& connection = connections.emplace_back();
    connection.fd = std::move(fd);
    connection.deadline = SystemClock().SteadyNow() + options.connection_timeout;
    if (!Advance(connection)) connections.pop_back();  // the request has mostly come by now
  }
}

bool Responder::Impl::Advance(Connection& connection) {
  switch (connection.phase) {
    case Phase::kReading: return Read(connection);
    case Phase::kWriting: return Write(connection);
    case Phase::kLingering: return Linger(connection);
  }
  return false;
}

bool Responder::Impl::Read(Connection& connection) {
  char buffer[2048];
  for (;;) {
    const ssize_t count = recv(connection.fd.get(), buffer, sizeof buffer, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    if (!connection.request.Feed({buffer, static_cast<std::size_t>(count)})) continue;
    Answer(connection);
    return Write(connection);
  }
}

void Responder::Impl::Answer(Connection& connection) {
  const RequestParser& request = connection.request;
  Reply reply{Plain(request.status()), nullptr};
  if (request.status() == 0) {
    try {
      reply = handler(request.path());
      if (reply.answer.body.size() > options.max_answer) reply = {Plain(500), nullptr};
    } catch (...) {
      log::Error(Cat("responder: ", Printable(CurrentFailure().detail)));
      reply = {Plain(500), nullptr};
    }
  }
  connection.out = Render(reply.answer, request.head());
  if (!request.head()) connection.after = std::move(reply.after);
  connection.phase = Phase::kWriting;
}

bool Responder::Impl::Write(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const ssize_t count = send(connection.fd.get(), connection.out.data() + connection.sent,
                               connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<std::size_t>(count);
  }
  // Before the end is told, so that whoever has seen it finds the fetch counted.
  if (connection.after) std::exchange(connection.after, nullptr)();
  shutdown(connection.fd.get(), SHUT_WR);
  connection.phase = Phase::kLingering;
  return Linger(connection);
}

// Closing with unread bytes would send a reset, which may overtake the answer.
bool Responder::Impl::Linger(Connection& connection) {
  char buffer[2048];
  while (connection.discarded < kMaxDiscarded) {
    const ssize_t count = recv(connection.fd.get(), buffer, sizeof buffer, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    connection.discarded += static_cast<std::size_t>(count);
  }
  return false;
}

Responder::Responder(ResponderOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

Responder::~Responder() = default;

int Responder::port() const { return impl_->port; }

}  // namespace certwright::http

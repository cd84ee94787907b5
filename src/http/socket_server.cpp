#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "exchange.h"
#include "httplib_compat.h"
#include "socket_path.h"

namespace certwright::http {
namespace {

constexpr time_t kTimeoutSeconds =
    5;  // between bytes of a request, and for a caller that reads slowly
constexpr std::size_t kMaxTarget = 8000;  // the library ends at 8192
constexpr int kBacklog = 128;
constexpr const char* kAnyPath = R"([\s\S]*)";

// The library bounds neither chunked nor compressed bodies, so they are refused before they are
// read.
int RefusedStatus(const httplib::Request& request) {
  if (request.target.size() > kMaxTarget) return 414;
  if (request.has_header("Transfer-Encoding")) return 501;
  if (request.has_header("Content-Encoding")) return 415;
  const bool has_body = request.method == "POST" || request.method == "PUT" ||
                        request.method == "PATCH" || request.has_header("Content-Length");
  if (!has_body) return 0;
  const std::string length = request.get_header_value("Content-Length");
  if (request.get_header_value_count("Content-Length") != 1 || length.empty()) return 411;
  return length.find_first_not_of("0123456789") == std::string::npos ? 0 : 400;
}

// Those that the library knows routes for.
bool IsRouted(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

// Those that it takes at all.
bool IsParsed(std::string_view method) {
  constexpr std::array<std::string_view, 4> kMethods{"OPTIONS", "TRACE", "CONNECT", "PRI"};
  return IsRouted(method) || std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

// As far as methods are made of it (RFC 9110 section 9.1).
bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '-';
  });
}

ServerRequest Translate(const httplib::Request& from) {
  ServerRequest request;
  request.method = from.method;
  request.target = from.target;
  for (const auto& [name, value] : from.headers) {
    if (!compat::IsOwnHeader(name)) request.headers.emplace_back(ToLower(name), value);
  }
  request.body = from.body;
  return request;
}

// The answers under way. The library breaks off a chunked answer once it was told to stop, also one
// whose headers are out already, so it is told only when there is none any more.
class Gate {
 public:
  // nullptr when closed; else under way until the last copy is gone.
  std::shared_ptr<void> Enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return nullptr;
    ++inside_;
    return std::shared_ptr<void>(this, [](void* gate) { static_cast<Gate*>(gate)->Leave(); });
  }
  void CloseAndWait() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [&] { return inside_ == 0; });
  }

 private:
  void Leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    left_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace

std::string_view ServerRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

struct SocketServer::Impl {
  Impl(SocketServerOptions given, Handler given_handler)
      : options(std::move(given)), handler(std::move(given_handler)) {
    SetGuards();
    SetRoutes();
    Listen();
  }

  ~Impl() {
    gate.CloseAndWait();
    server.stop();
    loop.join();
    struct stat now {};
    const bool ours = lstat(options.path.c_str(), &now) == 0 && now.st_dev == file.st_dev &&
                      now.st_ino == file.st_ino;
    if (ours) unlink(options.path.c_str());
  }

  void SetGuards() {
    server.new_task_queue = [threads = options.threads] {
      return new httplib::ThreadPool(threads);
    };
    server.set_address_family(AF_UNIX);
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(kTimeoutSeconds);
    server.set_write_timeout(kTimeoutSeconds);
    server.set_payload_max_length(options.max_body);
    server.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          response.status = RefusedStatus(request);
          if (response.status != 0) return httplib::Server::HandlerResponse::Handled;
          response.status = -1;
          compat::ForgetContentType(request);
          if (IsRouted(request.method)) return httplib::Server::HandlerResponse::Unhandled;
          Serve(request, response);  // the library would say 400; no body is read
          return httplib::Server::HandlerResponse::Handled;
        });
    // A method that the library does not know ends at its request line, with a bare 400.
    server.set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
      const bool bare = response.status == 400 && response.body.empty();
      if (bare && IsToken(request.method) && !IsParsed(request.method)) {
        return Serve(request, response);
      }
      if (!options.refusal || !response.body.empty() || response.content_provider_) return;
      const SocketRefusal refusal = options.refusal(response.status);
      response.set_content(refusal.body, refusal.content_type.c_str());
    });
    // The library would tell the caller the exception's text otherwise.
    server.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
          response.status = 500;
          response.set_content("internal error\n", "text/plain; charset=utf-8");
        });
    // A socket's mode before bind is that of the file: nobody else can connect in between.
    server.set_socket_options([this](socket_t socket) {
      listener = socket;
      fchmod(socket, S_IRUSR | S_IWUSR);
    });
  }

  void SetRoutes() {
    const auto route = [this](const httplib::Request& request, httplib::Response& response) {
      Serve(request, response);
    };
    server.Get(kAnyPath, route);
    server.Post(kAnyPath, route);
    server.Put(kAnyPath, route);
    server.Patch(kAnyPath, route);
    server.Delete(kAnyPath, route);
  }

  void Serve(const httplib::Request& request, httplib::Response& response) {
    const std::shared_ptr<void> under_way = gate.Enter();
    if (!under_way) {
      response.status = 503;
      return;
    }
    auto exchange = std::make_shared<Exchange>(Translate(request), handler);
    const Exchange::Choice choice = exchange->WaitForChoice();
    response.status = choice.status;
    for (const auto& [name, value] : choice.headers) response.set_header(name.c_str(), value.c_str());
    if (!choice.lines) {
      response.set_content(choice.body, choice.content_type);
      return;
    }
    response.set_chunked_content_provider(
        choice.content_type, [under_way, exchange](std::size_t, httplib::DataSink& sink) {
          const bool whole = exchange->WriteLines([&](std::string_view line) {
            return sink.is_writable() && sink.write(line.data(), line.size()) && sink.is_writable();
          });
          if (whole) sink.done();
          return whole;
        });
  }

  void Listen() {
    ClearSocketPath(options.path);
    errno = 0;
    if (!server.bind_to_port(options.path.string(), 1)) {  // any port but 0
      ThrowErrno(errno == 0 ? EIO : errno, "cannot listen on", options.path);
    }
    ::listen(listener, kBacklog);  // the library's own backlog is 5
    lstat(options.path.c_str(), &file);
    try {
      SetSocketOwner(options.path, options.mode, options.group);
    } catch (...) {
      unlink(options.path.c_str());
      throw;
    }
    loop = std::thread([this] { server.listen_after_bind(); });
    compat::WaitUntilReady(server);
  }

  const SocketServerOptions options;
  const Handler handler;
  Gate gate;
  httplib::Server server;
  int listener = -1;
  struct stat file {};
  std::thread loop;
};

SocketServer::SocketServer(SocketServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

SocketServer::~SocketServer() = default;

}  // namespace certwright::http

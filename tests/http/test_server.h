// A server on loopback that does what a test tells it, one thread a connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "certwright/base/file.h"
#include "test_pki.h"

namespace certwright::http::test {

// One accepted connection, plain or TLS.
class Peer {
 public:
  Peer(Fd fd, SSL* ssl, const std::atomic<bool>& stopping)
      : fd_(std::move(fd)), ssl_(ssl, SSL_free), stopping_(stopping) {}

  // The request's head and its body; "" at the end of the connection.
  std::string ReadRequest() {
    std::string text;
    char c;
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!Get(c)) return "";
      text.push_back(c);
    }
    const std::size_t at = text.find("Content-Length: ");
    std::size_t left = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
    for (; left > 0 && Get(c); --left) text.push_back(c);
    return text;
  }
  // "" at the end of the connection.
  std::string ReadBytes(std::size_t count) {
    std::string bytes;
    char c;
    while (bytes.size() < count && Get(c)) bytes.push_back(c);
    return bytes;
  }
  // With its line feed.
  std::string ReadLine() {
    std::string line;
    char c;
    while (!line.ends_with('\n') && Get(c)) line.push_back(c);
    return line;
  }
  // Goes on with TLS, as STARTTLS does.
  bool StartTls(const Identity& identity) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, identity.certificate.get());
    SSL_CTX_use_PrivateKey(context, identity.key.get());
    ssl_.reset(SSL_new(context));
    SSL_CTX_free(context);
    SSL_set_fd(ssl_.get(), fd_.get());
    return SSL_accept(ssl_.get()) == 1;
  }
  bool Write(std::string_view data) {
    while (!data.empty()) {
      if (stopping_) return false;
      const ssize_t n = ssl_ ? SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()))
                             : send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Byte by byte with pauses, until the other side is gone.
  void Drip(std::string_view data, int pause_ms) {
    for (const char c : data) {
      if (!Write({&c, 1})) return;
      Pause(pause_ms);
    }
  }
  void Pause(int ms) {
    for (; ms > 0 && !stopping_; ms -= 5) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  void CloseNotify() {
    if (ssl_) SSL_shutdown(ssl_.get());
  }
  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  bool stopping() const { return stopping_; }

 private:
  bool Get(char& c) {
    return (ssl_ ? SSL_read(ssl_.get(), &c, 1) : recv(fd_.get(), &c, 1, 0)) == 1;
  }
  Fd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  const std::atomic<bool>& stopping_;
};

class TestServer {
 public:
  using Script = std::function<void(Peer&)>;

  // With an identity it speaks TLS.
  explicit TestServer(Script script, const Identity* identity = nullptr)
      : script_(std::move(script)), context_(nullptr, SSL_CTX_free) {
    signal(SIGPIPE,
           SIG_IGN);  // this server's own writes; the client must not need it (see its test)
    if (identity != nullptr) {
      context_.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_use_certificate(context_.get(), identity->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), identity->key.get());
    }
    listener_ = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_.get(), 128);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepter_ = std::thread([this] { Accept(); });
  }
  ~TestServer() {
    stopping_ = true;
    accepter_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }
  int port() const { return port_; }
  int connections() const { return count_; }
  std::string Url(const std::string& target = "/", const std::string& host = "127.0.0.1") const {
    return (context_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + target;
  }

 private:
  void Accept() {
    while (!stopping_) {
      pollfd one{listener_.get(), POLLIN, 0};
      if (poll(&one, 1, 10) <= 0) continue;
      Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) continue;
      ++count_;
      const int on = 1;  // or each first answer waits 40 ms for the ACK of the session tickets
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      threads_.emplace_back([this, fd = std::move(fd)]() mutable { Serve(std::move(fd)); });
    }
  }
  void Serve(Fd fd) {
    const int raw = fd.get();
    {
      const std::lock_guard lock(mutex_);
      open_.insert(raw);
    }
    SSL* ssl = context_ ? SSL_new(context_.get()) : nullptr;
    if (ssl != nullptr) SSL_set_fd(ssl, raw);
    auto peer = std::make_unique<Peer>(std::move(fd), ssl, stopping_);
    if (ssl == nullptr || SSL_accept(ssl) == 1) script_(*peer);
    const std::lock_guard lock(
        mutex_);  // so that nobody shuts a descriptor that is somebody else's
    open_.erase(raw);
    peer.reset();
  }

  Script script_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  Fd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> count_{0};
  std::mutex mutex_;
  std::set<int> open_;
  std::list<std::thread> threads_;
  std::thread accepter_;
};

}  // namespace certwright::http::test

// A tiny HTTP/1.1 listener that may face the internet: bounded in every direction.
//
// GET and HEAD only, one request a connection, 8 KiB of request, no body, a fixed number of
// connections (the oldest makes room), a deadline for each connection as a whole, one thread,
// constant memory. cpp-httplib's server cannot be bounded from outside (it takes any number of
// headers), hence this one. Used for HTTP-01 (RFC 8555 section 8.3), and for metrics on loopback.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "certwright/base/clock.h"

namespace certwright::http {

struct Endpoint {
  std::string host;  // an IP address
  int port = 0;
};
// "127.0.0.1:9180", "[::]:80", ":80" (all addresses, both families). Throws Error(kConfig).
Endpoint ParseEndpoint(std::string_view text);

struct ResponderAnswer {
  int status = 404;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;  // at most ResponderOptions::max_answer
};

struct ResponderOptions {
  Endpoint listen;
  std::size_t max_connections = 256;
  Millis connection_timeout{5'000};
  std::size_t max_answer = 4 * 1024;  // bytes
};

class Responder {
 public:
  // Called on the listener's thread with the request's path (query removed, not decoded); who
  // asks next waits for it. `after` (may be empty) of an answer is run when its last byte was handed to the kernel
  // (not after HEAD, which takes the answer's head only).
  struct Reply {
    ResponderAnswer answer;
    std::function<void()> after;
  };
  using Handler = std::function<Reply(const std::string& path)>;

  // Listens at once. Throws Error(kConfig) with the address and what to do (in use, not permitted).
  Responder(ResponderOptions options, Handler handler);
  ~Responder();
  int port() const;  // the real one, where 0 was asked for

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::http

// One HTTP exchange: what acme and traefik see of the network.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";  // GET, HEAD, POST
  std::string url;             // absolute
  Headers headers;
  std::string content_type;  // of the body
  std::string body;
  std::size_t max_body = 64 * 1024;  // of the answer; a longer one is an error, never a cut text
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;

  // The first header of that name (lower case), or "".
  std::string_view Header(std::string_view name) const;
  // All of them, in order.
  std::vector<std::string> All(std::string_view name) const;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Any status is an answer; redirects are not followed. Safe from several threads.
  // Throws Error: kNetwork (transient: refused, cut, timed out), kUntrusted (TLS certificate),
  // kProtocol (URL not https, answer over a limit), kCancelled.
  virtual Response Send(const Request& request, std::stop_token stop) = 0;
};

}  // namespace certwright::http

// The bounded HTTPS client (invariant I6).
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "certwright/base/file.h"
#include "certwright/http/transport.h"

namespace certwright::http {

struct ClientOptions {
  std::string user_agent = "certwright";
  // A PEM file of more roots to trust beside the system's; "" for none.
  Path ca_bundle;
  // Plain http to 127.0.0.0/8, [::1] and localhost. Everything else is https.
  bool allow_http_loopback = false;
  // No connection to this machine, to private networks and the like, whatever name leads there: what is
  // looked at is the very address that is connected to. Error(kDenied) where there is no other.
  bool public_addresses_only = false;
  Millis connect_timeout{10'000};
  // Of a whole exchange, connection and all: a byte a second does not help a server.
  Millis exchange_timeout{30'000};
  std::size_t max_header_bytes = 32 * 1024;
  std::size_t max_headers = 100;
  // Kept-alive connections per host; requests beyond them open one of their own.
  std::size_t max_idle_connections = 8;
};

// Pools kept-alive connections (TLS verified against roots and host, TCP_NODELAY), never uses one
// from two threads at once, sends each request once: no retry, no redirect, no cookie, no
// decompression.
class Client : public Transport {
 public:
  // Throws Error(kConfig) where ca_bundle cannot be read or holds no certificate.
  explicit Client(ClientOptions options);
  ~Client() override;
  Response Send(const Request& request, std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The parts of an absolute URL. Throws Error(kProtocol) where it is none, has user info, a
// fragment, or a control character; port is the scheme's default where none is given.
struct Url {
  std::string scheme;  // lower case
  std::string host;    // lower case, IPv6 without brackets
  int port = 0;
  std::string target;  // path and query, "/" at least
};
Url ParseUrl(std::string_view url);
bool IsLoopback(const Url& url);

// One exchange with the peer at this very IP address, whatever the URL's host resolves to: that host
// is what it is asked for (Host and server name). https or http, neither is verified: it is looked
// at, not trusted. Redirects are not followed. Throws Error as Transport::Send, without kUntrusted.
Response LookAt(const Request& request, const std::string& address, Millis timeout,
                std::stop_token stop);

// The DER of the certificate that a TLS endpoint shows for a server name (no verification: it is
// looked at, not trusted). `server_name` "" sends no SNI. Throws Error(kNetwork).
std::string PeerCertificate(const std::string& address, int port, const std::string& server_name,
                            Millis timeout);

// What is said in plain text before TLS begins (STARTTLS). The peer is not trusted: all of it happens
// within the time of the whole look, and takes 16 KiB at most. Each throws Error(kNetwork |
// kCancelled), and kProtocol where the peer says more than that.
class PlainTalk {
 public:
  virtual ~PlainTalk() = default;
  // Up to the line feed, which is left out with a carriage return before it.
  virtual std::string ReadLine() = 0;
  virtual std::string ReadBytes(std::size_t count) = 0;
  virtual void Send(std::string_view text) = 0;
};

// PeerCertificate of a peer that speaks TLS only after `talk`, and another protocol than HTTP in it
// (no ALPN); without a `talk` of a web server. What it says between that and TLS is Error(kProtocol): nobody could tell who said it.
// `talk` throws Error where the peer does not want to.
std::string PeerCertificateAfter(const std::string& address, int port,
                                 const std::string& server_name,
                                 const std::function<void(PlainTalk&)>& talk, Millis timeout,
                                 std::stop_token stop);

}  // namespace certwright::http

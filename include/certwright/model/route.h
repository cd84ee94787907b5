// A route through Traefik, as its owner asked for it (contract.md, set-route). What was not given is
// not there: it has the default that is named here, and goes on having it when others change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::model {

// Header name -> value; "" removes the header.
using HeaderValues = std::map<std::string, std::string>;

struct ForwardAuth {
  std::string address;  // URL that is asked about each request
  bool skip_tls_verify = false;
  std::vector<std::string> auth_response_headers;  // copied from its answer to the request

  bool operator==(const ForwardAuth&) const = default;
};

struct Route {
  std::string instance;             // its name: [a-zA-Z0-9_.-]+, not starting with "_" or "."
  std::string url;                  // of the backend: http or https
  std::string host;                 // "" : any; lower case, A-labels
  std::string path;                 // "" : any; "/foo" means /foo and /foo/...
  std::optional<std::int64_t> priority;  // DefaultPriority
  bool lets_encrypt = false;        // the host is to have a certificate of a CA
  bool http2https = false;          // the http router only redirects
  std::optional<bool> strip_prefix;    // false; only with a path
  std::optional<bool> slash_redirect;  // false; only with a path: /foo -> /foo/
  bool skip_cert_verify = false;    // an https backend may show any certificate
  bool user_created = false;        // by a person, not a module
  std::vector<std::string> ip_allowlist;  // addresses and CIDR; empty: everybody
  HeaderValues request_headers;
  HeaderValues response_headers;
  std::optional<ForwardAuth> forward_auth;
  UnixSeconds created_at = 0;
  UnixSeconds updated_at = 0;

  bool operator==(const Route&) const = default;
};

// Whether nobody could tell them apart but by their times.
bool SameButTimes(Route a, const Route& b);

// 3 for host and path, 2 for a host, 1 for a path.
int DefaultPriority(const Route& route);

}  // namespace certwright::model

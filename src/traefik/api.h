// What is asked of Traefik's API.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "certwright/http/transport.h"

namespace certwright::traefik {

// What Traefik made of a router.
struct RouterState {
  std::string status;  // enabled | warning | disabled; "": it knows none of that name
  std::string error;   // why it is not enabled
  std::string rule;
};

struct EntryPoint {
  std::string address;       // as Traefik says it: ":443", "127.0.0.1:8443/tcp"
  std::string redirects_to;  // entry point that every request is redirected to; "" : none
};

class Api {
 public:
  // `base` without a slash at its end.
  Api(http::Transport& transport, std::string base)
      : transport_(transport), base_(std::move(base)) {}

  // All throw Error as Transport::Send does, and Error(kTraefik) on a status that is neither 200
  // nor 404.
  bool HasMiddleware(const std::string& name, std::stop_token stop) const;
  // Exactly this certificate, by the SHA-256 of its DER (Traefik 3.7 on).
  bool HasCertificate(const std::string& fingerprint, std::stop_token stop) const;
  RouterState Router(const std::string& name, std::stop_token stop,
                     std::string_view provider = "file") const;
  // All empty where there is none of that name.
  EntryPoint FindEntryPoint(const std::string& name, std::stop_token stop) const;

 private:
  http::Response Get(const std::string& path, std::stop_token stop) const;

  http::Transport& transport_;
  std::string base_;
};

}  // namespace certwright::traefik

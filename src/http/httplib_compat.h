// Every difference between the versions of cpp-httplib that are built with (0.11 and 0.18).
#pragma once

#include <httplib.h>

#include <chrono>
#include <string>
#include <thread>

namespace certwright::http::compat {

// Until stop() would be heard: before that it does nothing.
template <typename Server>
void WaitUntilReady(Server& server) {
  if constexpr (requires { server.wait_until_ready(); }) {  // 0.12 and later
    server.wait_until_ready();
  } else {
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Headers that the library itself adds to a request, where a client could have sent them as well.
inline bool IsOwnHeader(const std::string& name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" ||
         name == "LOCAL_PORT";
}

// A body that is said to be a form has a limit of the library's own, 8 KiB, and is parsed as one:
// what curl says where nobody told it what it sends. The header is not looked at here.
inline void ForgetContentType(const httplib::Request& request) {
  // The library hands out as constant what it holds itself, and changes as it reads on.
  const_cast<httplib::Request&>(request).headers.erase("Content-Type");
}

}  // namespace certwright::http::compat

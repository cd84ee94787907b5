// A listening TCP socket.
#pragma once

#include "certwright/base/file.h"
#include "certwright/http/responder.h"

namespace certwright::http {

// Non-blocking; "::" takes IPv4 too, and falls back to 0.0.0.0 on a machine without IPv6.
// Throws Error(kConfig) with the address and what to do.
Fd ListenTcp(const Endpoint& endpoint);
int LocalPort(int fd);

}  // namespace certwright::http

// From a host name to a connected socket.
#pragma once

#include <string>

#include "certwright/base/file.h"
#include "patience.h"

namespace certwright::http {

// A connected, non-blocking TCP socket with TCP_NODELAY. Every address of the host is tried, the
// next one 250 ms after the one before (RFC 8305), so that a family without a route costs no
// timeout; with `public_only` every one of the internet's. Throws Error(kNetwork | kCancelled), and
// kDenied where no address is left.
Fd Connect(const std::string& host, int port, Millis connect_timeout, Patience& patience,
           bool public_only = false);

}  // namespace certwright::http

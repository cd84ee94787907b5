// A request as it goes over the wire.
#pragma once

#include <string>

#include "certwright/http/transport.h"

namespace certwright::http {

// HTTP/1.1, a body on POST only. Throws Error(kInternal) on another method than GET, HEAD and POST,
// and on a header that would become another line.
std::string Compose(const Request& request, const std::string& target, const std::string& host,
                    const std::string& user_agent);

}  // namespace certwright::http

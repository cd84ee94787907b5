// An authorization that nobody wants any more (RFC 8555 section 7.5.2).
#pragma once

#include <stop_token>
#include <string>

#include "certwright/acme/client.h"

namespace certwright::acme {

// Deactivates the authorization where it is still pending: CAs count those. One that is valid may
// save the next order its challenges, and any other is over: both are left alone. False where there
// was nothing to do. Throws as Client::Post.
bool DeactivatePending(Client& client, const Signer& signer, const std::string& url,
                       std::stop_token stop);

}  // namespace certwright::acme

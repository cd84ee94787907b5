// Revoking a certificate (RFC 8555 section 7.6).
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/acme/client.h"

namespace certwright::acme {

// The reasons that a subscriber may give (RFC 5280 section 5.3.1), by name: "unspecified",
// "keyCompromise" ...
std::vector<std::string> RevocationReasons();
// Its number. Throws Error(kInput) that lists the names.
int RevocationReasonCode(std::string_view name);

// Revokes the first certificate of `chain_pem`. `signer` is the account, or the certificate's own
// key without an account URL. One that is revoked already is fine. Throws as Client::Post, and
// Error(kRefused) where the CA has no revokeCert.
void RevokeCertificate(Client& client, const Signer& signer, const std::string& chain_pem,
                       std::string_view reason, std::stop_token stop);

}  // namespace certwright::acme

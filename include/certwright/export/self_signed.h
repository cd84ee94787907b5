// A pair for a program that must start before a certificate was obtained.
#pragma once

#include <string>

#include "certwright/base/secret.h"
#include "certwright/model/certificate.h"

namespace certwright::exports {

// CN and SAN = `name`, EC P-256, 365 days from now. Throws Error(kInput) where it is no name.
model::CertificateVersion SelfSignedFor(const std::string& name);
// The same for a key that is there: PEM, of any kind that crypto::PrivateKey reads. Throws
// Error(kInput) where it is none.
model::CertificateVersion SelfSignedFor(const std::string& name, const Secret& key_pem);

}  // namespace certwright::exports

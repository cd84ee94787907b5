// A pair for a program that must start before a certificate was obtained.
#pragma once

#include <string>

#include "certwright/model/certificate.h"

namespace certwright::exports {

// CN and SAN = `name`, EC P-256, 365 days from now. Throws Error(kInput) where it is no name.
model::CertificateVersion SelfSignedFor(const std::string& name);

}  // namespace certwright::exports

// Certificates that somebody uploaded. Each is a managed certificate of its own, known by its common
// name, beside what a CA may have issued for the same names: nothing renews it, and when it is deleted
// the CA's is there again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "certwright/store/certificates.h"

namespace certwright::store {

// By its label: the common name, else (without one) the first name. In whatever case.
std::optional<HeldCertificate> FindUpload(Session& session, const std::string& label);
// The label of an upload, in lower case; nullopt where it is none.
std::optional<std::string> UploadLabel(const model::ManagedCertificate& certificate);

// Takes the place of an upload with the same label, and tells it ("certificate-changed", reason
// "uploaded", for the names of both). Of `version` origin, CA, times of storing and ids are set here.
// Gives the event's number; 0 where exactly this pair was there already.
std::int64_t SaveUpload(Session& session, const std::string& label,
                        const model::CertificateVersion& version, UnixSeconds now);

}  // namespace certwright::store

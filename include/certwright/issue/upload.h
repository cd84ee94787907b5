// Takes a pair that its owner brings.
#pragma once

#include <cstdint>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/base/secret.h"
#include "certwright/events/feed.h"
#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::issue {

// What the chain must lead to.
enum class UploadTrust {
  kRoots,       // a root of this machine, or of `roots_pem`
  kSelfSigned,  // a certificate in it that is signed by itself
  kNone,
};

struct UploadRequest {
  Secret key_pem;
  std::string chain_pem;  // leaf first
  UploadTrust trust = UploadTrust::kRoots;
  std::string roots_pem;
};

// Why a pair is not taken; nothing of it is in `detail` (I1).
struct UploadRefused {
  enum class Why { kKey, kFormat, kNoName, kMismatch, kUntrusted, kNotSelfSigned };
  Why why;
  std::string detail;
};

struct Uploaded {
  model::CertificateVersion version;
  std::int64_t event_seq = 0;  // 0: exactly this pair was there already
};

// Looks in the order of UploadRefused::Why, stores and tells it: see store::SaveUpload. Throws
// UploadRefused, and Error as the store does.
Uploaded Upload(store::Database& database, events::Feed& feed, Clock& clock,
                const UploadRequest& request);

}  // namespace certwright::issue

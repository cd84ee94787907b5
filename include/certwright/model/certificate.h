// What is desired (ManagedCertificate) and what exists (CertificateVersion) are two things.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/base/secret.h"
#include "certwright/model/identifier.h"
#include "certwright/model/key_type.h"

namespace certwright::model {

// Where a version came from.
enum class Origin { kAcme, kUpload, kSelfSigned };

struct CertificateVersion {
  std::int64_t id = 0;
  std::int64_t certificate_id = 0;
  std::string chain_pem;          // leaf first
  Secret key_pem;                 // PKCS#8
  std::string serial_hex;         // lower case, no leading zero octet but the one that DER demands
  std::string fingerprint;        // SHA-256 of the leaf's DER, lower-case hex
  std::string subject;            // the CN alone where there is one, else RFC 4514
  std::string issuer;             // RFC 4514
  std::vector<Identifier> names;  // of the certificate itself
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::string ari_id;  // RFC 9773 section 4.1, "" where it cannot be formed
  std::string ca;      // directory URL, "" for what no CA of ours issued
  Origin origin = Origin::kAcme;
  UnixSeconds created_at = 0;
  int expiry_told = 0;            // so many of the warnings that it is about to expire were told
  std::string revocation_reason;  // RFC 5280 section 5.3.1, by name; "": nobody wants it revoked
  bool revoke_with_key = false;   // the certificate's own key asks for it, not the account
  bool revoke_replaced = false;   // not before another version has taken its place
  UnixSeconds revoked_at = 0;     // when the CA said that it is; 0: not (yet)
};

// By its dates.
inline bool IsValidAt(const CertificateVersion& version, UnixSeconds time) {
  return version.not_before <= time && time < version.not_after;
}

// What the owner wants of a certificate.
struct CertificatePolicy {
  KeyType key_type = KeyType::kEc256;
  bool reuse_key = false;
  std::string profile;          // "" : the CA's default
  std::string preferred_chain;  // issuer name, "" : the CA's default

  bool operator==(const CertificatePolicy&) const = default;
};

// What a request says of it; what it does not say stays as it was.
struct PolicyWish {
  std::optional<KeyType> key_type;
  std::optional<bool> reuse_key;
  std::optional<std::string> profile;
  std::optional<std::string> preferred_chain;

  CertificatePolicy Over(const CertificatePolicy& base) const {
    return {key_type.value_or(base.key_type), reuse_key.value_or(base.reuse_key),
            profile.value_or(base.profile), preferred_chain.value_or(base.preferred_chain)};
  }
  bool operator==(const PolicyWish&) const = default;
};

// The owner of what only routes asked for: it is wanted as long as one of them wants it.
inline constexpr char kRouteOwner[] = "routes";
// The owner of what was ordered for the default names alone.
inline constexpr char kDefaultOwner[] = "default-certificate";

struct ManagedCertificate {
  std::int64_t id = 0;
  std::string name_set;           // NameSetKey(names): unique
  std::vector<Identifier> names;  // as asked for, sorted
  CertificatePolicy policy;
  std::string owner;  // "module/mail1", "" for an administrator, kRouteOwner or kDefaultOwner
  bool discard = false;  // to be removed as soon as it can be, where nobody asks for it then
  std::optional<std::int64_t> current_version;
  UnixSeconds next_action_at = 0;     // when the scheduler looks again; 0: never
  std::optional<Failure> last_error;  // of the last attempt; none after a success
  UnixSeconds last_error_at = 0;
  int failures = 0;  // in a row
  // What a look from outside said last, while it fails; none: nobody looked, or it could not be told.
  std::optional<bool> preflight_good;
  std::string preflight_saw;     // in words
  UnixSeconds preflight_at = 0;  // when; 0: nobody looked
  UnixSeconds created_at = 0;
  UnixSeconds updated_at = 0;
};

}  // namespace certwright::model

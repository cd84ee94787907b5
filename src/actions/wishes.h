// Who wants the certificates that are held.
#pragma once

#include <set>
#include <string>

#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::actions {

// What a certificate of a CA is there for (contract.md, list-certificates).
enum class Purpose { kDefault, kAutomatic, kObsolete };

// All wishes, read once.
class Wishes {
 public:
  explicit Wishes(store::Session& session);
  Purpose PurposeOf(const model::ManagedCertificate& certificate) const;

 private:
  std::set<std::string> names_;  // of modules' requests and of routes
  std::string default_set_;      // "" : the default is the self-signed pair
};

}  // namespace certwright::actions

#include <botan/hash.h>

#include "bytes.h"
#include "certwright/crypto/certificate.h"

namespace certwright::crypto {

std::string Sha256(std::string_view bytes) {
  return AtEdge(FailureCode::kInternal, "SHA-256 is not there", [&] {
    auto hash = Botan::HashFunction::create_or_throw("SHA-256");
    hash->update(Data(bytes), bytes.size());
    return ToString(hash->final());
  });
}

}  // namespace certwright::crypto

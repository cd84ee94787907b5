#include "certwright/crypto/certificate.h"
#include "der.h"
#include "key_impl.h"
#include "names.h"
#include "oids.h"

namespace certwright::crypto {

// RFC 2986 section 4. The subject is empty: RFC 8555 section 7.4 lets the names stand in the
// requested subjectAltName alone, and a CN could not hold a name of more than 64 bytes.
std::string CreateCsr(const PrivateKey& key, const std::vector<model::Identifier>& identifiers) {
  const std::string extensions = der::Sequence({SubjectAltNameExtension(identifiers)});
  const std::string request =
      der::Sequence({der::Oid(oid::kExtensionRequest), der::Encode(der::kSet, extensions)});
  const std::string info = der::Sequence({
      der::Encode(der::kInteger, std::string_view("\0", 1)),
      der::Sequence({}),
      key.PublicKeyDer(),
      der::Encode(der::Constructed(0), request),
  });
  return der::Sequence({info, SignatureAlgorithm(key.impl().kind),
                        der::BitString(Sign(key, info, SignatureForm::kDer))});
}

}  // namespace certwright::crypto

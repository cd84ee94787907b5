#include "certwright/crypto/mac.h"

#include <botan/mac.h>

#include "bytes.h"

namespace certwright::crypto {

std::string HmacSha256(const Secret& key, std::string_view text) {
  return AtEdge(FailureCode::kInput, "the MAC key cannot be used", [&] {
    auto mac = Botan::MessageAuthenticationCode::create_or_throw("HMAC(SHA-256)");
    mac->set_key(Data(key.Reveal()), key.Reveal().size());
    mac->update(Data(text), text.size());
    return ToString(mac->final());
  });
}

}  // namespace certwright::crypto

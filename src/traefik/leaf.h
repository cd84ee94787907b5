// The little that must be known of a certificate here: which one it is. (Reading certificates is
// crypto's; this module asks only whether two are the same.)
#pragma once

#include <string>
#include <string_view>

namespace certwright::traefik {

// The DER of the first certificate of a chain; "" where the text holds none.
std::string LeafOf(const std::string& chain_pem);

// The content octets of the serial number (RFC 5280 section 4.1), hex; "" where the bytes are no
// certificate.
std::string SerialOf(std::string_view der);

}  // namespace certwright::traefik

// What a CA counts certificates by: the name that was bought from a registrar.
#pragma once

#include <string>

#include "certwright/model/identifier.h"

namespace certwright::model {

// One label more than the public suffix (publicsuffix.org, its ICANN and its private part; of a
// name that nobody listed the last label is one): "example.co.uk" for "*.www.example.co.uk". A name
// that is a public suffix itself counts as its own. Of an IP address itself (IPv4), or its network
// of 64 bits: "2001:db8::/64".
std::string RegisteredDomain(const Identifier& identifier);

}  // namespace certwright::model

// Which addresses belong to the internet, and which to some network of somebody's own.
#pragma once

#include <sys/socket.h>

namespace certwright::http {

// False for this machine, private and shared networks, link-local, multicast, and what is reserved or
// leads to one of these (IPv4 inside IPv6): RFC 6890 and the IANA special-purpose registries.
bool IsPublicAddress(const sockaddr* address);

}  // namespace certwright::http

#include "public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace certwright::http {
namespace {

struct Range4 {
  std::uint32_t network;
  int bits;
};
constexpr std::array kOwn4{
    Range4{0x00000000, 8},   // this network
    Range4{0x0a000000, 8},   // private
    Range4{0x64400000, 10},  // shared by carriers
    Range4{0x7f000000, 8},   // loopback
    Range4{0xa9fe0000, 16},  // link-local
    Range4{0xac100000, 12},  // private
    Range4{0xc0000000, 24},  // protocol assignments
    Range4{0xc0000200, 24},  // documentation
    Range4{0xc0586300, 24},  // 6to4 relays
    Range4{0xc0a80000, 16},  // private
    Range4{0xc6120000, 15},  // benchmarks
    Range4{0xc6336400, 24},  // documentation
    Range4{0xcb007100, 24},  // documentation
    Range4{0xe0000000, 3},   // multicast and reserved
};

bool IsPublic4(std::uint32_t address) {
  return std::none_of(kOwn4.begin(), kOwn4.end(), [&](const Range4& range) {
    return (address ^ range.network) >> (32 - range.bits) == 0;
  });
}

std::uint32_t Word(const in6_addr& address, std::size_t at) {
  std::uint32_t word = 0;
  std::memcpy(&word, address.s6_addr + at, sizeof word);
  return ntohl(word);
}

// Of global unicast (2000::/3) what is not set apart; and NAT64 as far as the IPv4 address behind it.
bool IsPublic6(const in6_addr& address) {
  const std::uint32_t first = Word(address, 0);
  const bool mapped = first == 0 && Word(address, 4) == 0 && Word(address, 8) == 0xffff;
  const bool nat64 = first == 0x0064ff9b && Word(address, 4) == 0 && Word(address, 8) == 0;
  if (mapped || nat64) return IsPublic4(Word(address, 12));
  if (first >> 29 != 1) return false;
  if (first >> 16 == 0x2002) return IsPublic4(Word(address, 2));  // 6to4
  if (first >> 9 == 0x20010000 >> 9) return false;                // 2001::/23: Teredo and the like
  return first != 0x20010db8;                                     // documentation
}

}  // namespace

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return IsPublic4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  return address->sa_family == AF_INET6 &&
         IsPublic6(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

}  // namespace certwright::http

#include "certwright/model/registered_domain.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <netinet/in.h>

#include <array>

namespace certwright::model {
namespace {

// The newer of the system's list and the one inside the library; read once, then only looked at.
const psl_ctx_t* List() {
  static const psl_ctx_t* const list = psl_latest(nullptr);
  return list;
}

// The CA counts who has an address by the network that providers give to one customer.
std::string NetworkOf(const std::string& address) {
  in6_addr bits{};
  if (inet_pton(AF_INET6, address.c_str(), &bits) != 1) return address;
  for (std::size_t i = 8; i < sizeof(bits.s6_addr); ++i) bits.s6_addr[i] = 0;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &bits, text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace

std::string RegisteredDomain(const Identifier& identifier) {
  if (identifier.type == IdentifierType::kIp) return NetworkOf(identifier.value);
  std::string name = identifier.value;
  if (name.starts_with("*.")) name.erase(0, 2);
  // Without any list the whole name: counted apart, so nothing is refused that the CA would take.
  const char* domain = List() == nullptr ? nullptr : psl_registrable_domain(List(), name.c_str());
  return domain == nullptr ? name : domain;
}

}  // namespace certwright::model

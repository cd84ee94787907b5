#include "certwright/probe/dns.h"

#include <ares.h>
#include <ares_nameser.h>
#include <arpa/inet.h>
#include <netdb.h>

#include "certwright/base/text.h"
#include "channel.h"

namespace certwright::probe {
namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostCaaRecords = 100;
constexpr int kTypeCaa = 257;  // RFC 8659 section 7

const unsigned char* Bytes(const std::string& message) {
  return reinterpret_cast<const unsigned char*>(message.data());
}

// Adds the addresses of one answer; gives its status.
int TakeAddresses(const Query& query, int family, std::vector<std::string>& into) {
  if (query.status != ARES_SUCCESS) return query.status;
  const int length = static_cast<int>(query.message.size());
  hostent* host = nullptr;
  const int status =
      family == AF_INET
          ? ares_parse_a_reply(Bytes(query.message), length, &host, nullptr, nullptr)
          : ares_parse_aaaa_reply(Bytes(query.message), length, &host, nullptr, nullptr);
  if (status != ARES_SUCCESS) return status;
  for (char** address = host->h_addr_list; *address != nullptr; ++address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (into.size() == kMostAddresses) break;
    if (inet_ntop(family, *address, text, sizeof text) != nullptr) into.emplace_back(text);
  }
  ares_free_hostent(host);
  return ARES_SUCCESS;
}

}  // namespace

Addresses Dns::LookUpAddresses(const std::string& name, std::stop_token stop) {
  std::vector<Query> queries = {{name, ns_t_a, -1, ""}, {name, ns_t_aaaa, -1, ""}};
  Ask(options_, queries, std::move(stop));
  Addresses found;
  for (const Query& query : queries) {
    const bool four = query.type == ns_t_a;
    const int status = TakeAddresses(query, four ? AF_INET : AF_INET6, found.addresses);
    if (status == ARES_SUCCESS || IsNothing(status)) continue;
    found.problem = Cat("the ", four ? "A" : "AAAA", " records of ", name, ": ", StatusWords(status));
  }
  if (!found.addresses.empty()) {
    found.status = DnsStatus::kFound;
  } else if (found.problem.empty()) {
    found.status = DnsStatus::kNothing;
  }
  return found;
}

CaaRecords Dns::LookUpCaa(const std::string& name, std::stop_token stop) {
  std::vector<Query> queries = {{name, kTypeCaa, -1, ""}};
  Ask(options_, queries, std::move(stop));
  const Query& query = queries.front();
  CaaRecords found;
  int status = query.status;
  ares_caa_reply* list = nullptr;
  if (status == ARES_SUCCESS) {
    status = ares_parse_caa_reply(Bytes(query.message), static_cast<int>(query.message.size()),
                                  &list);
  }
  for (const ares_caa_reply* item = status == ARES_SUCCESS ? list : nullptr; item != nullptr;
       item = item->next) {
    if (found.records.size() == kMostCaaRecords) break;
    found.records.push_back(
        {(item->critical & 0x80) != 0,
         std::string(reinterpret_cast<const char*>(item->property), item->plength),
         std::string(reinterpret_cast<const char*>(item->value), item->length)});
  }
  if (list != nullptr) ares_free_data(list);
  if (status == ARES_SUCCESS || IsNothing(status)) {
    found.status = found.records.empty() ? DnsStatus::kNothing : DnsStatus::kFound;
  } else {
    found.problem = Cat("the CAA records of ", name, ": ", StatusWords(status));
  }
  return found;
}

}  // namespace certwright::probe

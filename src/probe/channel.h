// A few questions to the resolver at once, by c-ares.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certwright/probe/dns.h"

namespace certwright::probe {

struct Query {
  std::string name;
  int type = 0;     // of the record, by RFC 1035
  int status = -1;  // of c-ares; -1: no answer yet
  std::string message;
};

// Asks all of them side by side and waits for every answer, at most for the options' timeout or until
// `stop`. A query that ended otherwise has a status that is not ARES_SUCCESS.
void Ask(const DnsOptions& options, std::vector<Query>& queries, std::stop_token stop);

// Whether c-ares says by it that there is no such record; else words for what went wrong.
bool IsNothing(int status);
std::string StatusWords(int status);

}  // namespace certwright::probe

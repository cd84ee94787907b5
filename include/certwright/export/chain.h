// A stored chain, as people want to see it.
#pragma once

#include <string>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::exports {

struct ChainEntry {
  std::string subject;
  std::string issuer;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
};

// Leaf first. Throws Error(kInput) where the text is no chain.
std::vector<ChainEntry> DescribeChain(const std::string& chain_pem);

}  // namespace certwright::exports

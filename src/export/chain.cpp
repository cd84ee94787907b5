#include "certwright/export/chain.h"

#include "certwright/crypto/certificate.h"

namespace certwright::exports {

std::vector<ChainEntry> DescribeChain(const std::string& chain_pem) {
  std::vector<ChainEntry> entries;
  for (const crypto::CertificateInfo& info : crypto::InspectChain(chain_pem)) {
    entries.push_back({info.subject, info.issuer, info.not_before, info.not_after});
  }
  return entries;
}

}  // namespace certwright::exports

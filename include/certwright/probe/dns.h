// DNS as a CA asks it: the resolver's answer, nothing of /etc/hosts.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::probe {

enum class DnsStatus {
  kFound,
  kNothing,  // the name is not there, or has no such record
  kFailed,   // no answer, SERVFAIL, stopped: nothing is known
};

struct Addresses {
  DnsStatus status = DnsStatus::kFailed;
  std::vector<std::string> addresses;  // of A, then of AAAA records, as text; 16 at most
  std::string problem;                 // of kFailed, and of kFound where one family failed
};

// RFC 8659 section 4.1.
struct CaaRecord {
  bool critical = false;
  std::string tag;    // as it stands
  std::string value;  // any bytes: not safe to print

  bool operator==(const CaaRecord&) const = default;
};

struct CaaRecords {
  DnsStatus status = DnsStatus::kFailed;
  std::vector<CaaRecord> records;
  std::string problem;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Both follow aliases. Never throw. Any thread.
  virtual Addresses LookUpAddresses(const std::string& name, std::stop_token stop) = 0;
  // Of this very name; parents are the caller's to ask.
  virtual CaaRecords LookUpCaa(const std::string& name, std::stop_token stop) = 0;
};

struct DnsOptions {
  std::vector<std::string> servers;  // "IP:PORT", "[IP]:PORT"; empty: the system's
  Millis timeout{8'000};             // of a whole look-up
};

// By c-ares, one channel for a look-up, in the caller's thread.
class Dns : public Resolver {
 public:
  explicit Dns(DnsOptions options) : options_(std::move(options)) {}
  Addresses LookUpAddresses(const std::string& name, std::stop_token stop) override;
  CaaRecords LookUpCaa(const std::string& name, std::stop_token stop) override;

 private:
  const DnsOptions options_;
};

}  // namespace certwright::probe

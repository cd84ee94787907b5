// What another client left, in words that do not depend on which one it was. Readers make it,
// Import stores it; document.h carries it from one process to another.
#pragma once

#include <string>
#include <vector>

#include "certwright/base/secret.h"
#include "certwright/json/value.h"
#include "certwright/model/certificate.h"

namespace certwright::migrate {

struct FoundAccount {
  std::string from;                  // where, for people: "resolver le", a file
  std::string directory;             // URL of the CA's directory
  std::string url;                   // of the account
  std::vector<std::string> contact;  // "mailto:..."
  Secret key_pem;
};

struct FoundCertificate {
  std::string from;
  std::string chain_pem;  // as it was found: not checked
  Secret key_pem;
  std::string directory;      // of the CA that issued it; "" : nobody can tell
  model::PolicyWish policy;   // as it was renewed
};

// A pair that somebody uploaded.
struct FoundUpload {
  std::string from;
  std::string chain_pem;
  Secret key_pem;
};

// As the input of set-route (schema/json/set-route.input.json).
struct FoundRoute {
  std::string from;
  json::Value request;
};

// What an administrator had set; empty: nothing.
struct FoundSettings {
  std::string acme_url;  // directory URL of the CA
  std::string acme_email;
  std::vector<std::string> trusted_proxies;
  int proxies_depth = 0;
  std::vector<std::string> default_names;  // of the default certificate, the leading one first
};

// What cannot be taken over, and why.
struct LeftOut {
  std::string from;
  std::string why;

  bool operator==(const LeftOut&) const = default;
};

struct Found {
  std::vector<FoundAccount> accounts;
  std::vector<FoundCertificate> certificates;
  std::vector<FoundUpload> uploads;
  std::vector<FoundRoute> routes;
  FoundSettings settings;
  std::vector<LeftOut> left_out;
};

}  // namespace certwright::migrate

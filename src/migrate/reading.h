// What the readers share.
#pragma once

#include <string>
#include <utility>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/key.h"
#include "certwright/json/value.h"
#include "certwright/migrate/found.h"

namespace certwright::migrate {

// Runs `read` for one thing that was found; what it throws is why that one is left out.
template <typename Read>
void EachByItself(Found& found, const std::string& from, Read&& read) {
  try {
    std::forward<Read>(read)();
  } catch (const Error& error) {
    found.left_out.push_back({Printable(from), error.failure().detail});
  }
}

[[noreturn]] inline void Refuse(const std::string& why, const std::string& advice = "") {
  throw Error(FailureCode::kInput, why, advice);
}

// Adds the account; throws where its CA is not known.
inline void AddAccount(Found& found, FoundAccount account, const crypto::PrivateKey& key) {
  if (account.directory.empty()) {
    Refuse(Cat("the CA of the account ", Printable(account.url, 200),
               " is not known: --directory URL names it"));
  }
  account.from = Printable(account.from);
  account.key_pem = key.ToPkcs8Pem();
  found.accounts.push_back(std::move(account));
}

// {"body": {"contact": [...]}, "uri": ...}, as certbot, Traefik and lego to 4 write it.
inline void ReadRegistration(const json::Value& registration, const std::string& email,
                             FoundAccount& account) {
  account.url = registration.String("uri", registration.String("accountURL"));
  account.contact = registration["body"].Strings("contact");
  if (account.contact.empty()) account.contact = registration.Strings("contact");
  if (account.contact.empty() && !email.empty()) account.contact = {"mailto:" + email};
}

}  // namespace certwright::migrate

#include "certwright/acme/account.h"

#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"

namespace certwright::acme {

namespace {

// Takes over what the CA says of an account (section 7.1.2).
void Adopt(const Answer& answer, model::Account& account) {
  if (answer.location.empty()) {
    throw Error(FailureCode::kProtocol, "the CA sent an account without its URL (Location)",
                "this is a fault of the CA, or of something between it and here");
  }
  const json::Value body = answer.Json();
  account.url = answer.location;
  account.status = Printable(body.String("status", "valid"), 40);
  if (account.status != "valid") {
    throw Error(FailureCode::kRefused, Cat("the CA says that the account is ", account.status),
                "a deactivated or revoked account cannot be used again: register a new one");
  }
  account.contact.clear();
  for (const std::string& contact : body.Strings("contact")) {
    account.contact.push_back(Printable(contact, 300));
  }
}

json::Value ExternalBinding(const ExternalAccount& external, const crypto::PrivateKey& key,
                            const std::string& url) {
  const json::Value header =
      json::Value::Object({{"alg", "HS256"}, {"kid", external.kid}, {"url", url}});
  return json::Parse(crypto::SignJwsHmac(external.mac_key, json::Write(header), crypto::Jwk(key)));
}

}  // namespace

bool FindAccountByKey(Client& client, model::Account& account, std::stop_token stop) {
  const Signer signer{crypto::PrivateKey::FromPem(account.key_pem), ""};
  const std::string url = client.GetDirectory(stop).new_account;
  try {
    Adopt(client.Post(signer, url, R"({"onlyReturnExisting":true})", stop), account);
    return true;
  } catch (const Error& error) {
    if (error.failure().acme_type == "accountDoesNotExist") return false;
    throw;
  }
}

void RegisterAccount(Client& client, const AccountWishes& wishes, model::Account& account,
                     std::stop_token stop) {
  const Directory directory = client.GetDirectory(stop);
  if (!directory.terms_of_service.empty() && !wishes.agree_to_terms) {
    throw Error(FailureCode::kRefused,
                Cat("the CA's terms of service are not agreed to: ", directory.terms_of_service),
                "read them, then set acme.agree_to_terms = true");
  }
  if (directory.external_account_required && !wishes.external) {
    throw Error(FailureCode::kRefused, "this CA wants an external account binding",
                "set acme.eab_kid and acme.eab_hmac_key_file to what the CA gave you");
  }
  const Signer signer{crypto::PrivateKey::FromPem(account.key_pem), ""};
  json::Value payload = json::Value::Object();
  if (wishes.agree_to_terms) payload.Set("termsOfServiceAgreed", true);
  if (!wishes.email.empty()) {
    payload.Set("contact", std::vector<std::string>{Cat("mailto:", wishes.email)});
  }
  if (wishes.external) {
    payload.Set("externalAccountBinding",
                ExternalBinding(*wishes.external, signer.key, directory.new_account));
  }
  Adopt(client.Post(signer, directory.new_account, json::Write(payload), stop), account);
  account.terms = directory.terms_of_service;
}

}  // namespace certwright::acme

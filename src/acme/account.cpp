#include "certwright/acme/account.h"

#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"

namespace certwright::acme {

namespace {

// What the CA says of an account (section 7.1.2).
void AdoptBody(const json::Value& body, model::Account& account) {
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

// The same with its URL, which comes in a header.
void Adopt(const Answer& answer, model::Account& account) {
  const json::Value body = answer.Json();  // first: what is none may pass (a page of a proxy)
  if (answer.location.empty()) {
    throw Error(FailureCode::kProtocol, "the CA sent an account without its URL (Location)",
                "this is a fault of the CA, or of something between it and here");
  }
  account.url = answer.location;
  AdoptBody(body, account);
}

Signer SignerOf(const model::Account& account) {
  return {crypto::PrivateKey::FromPem(account.key_pem), account.url};
}

json::Value Contact(const std::string& email) {
  if (email.empty()) return json::Array{};
  return json::Array{Cat("mailto:", email)};
}

// The JWS of the new key inside the one of the old key. It has no nonce (section 7.3.5).
std::string KeyChange(const crypto::PrivateKey& old_key, const crypto::PrivateKey& new_key,
                      const std::string& account_url, const std::string& url) {
  const json::Value header = json::Value::Object({{"alg", crypto::JwsAlgorithm(new_key)},
                                                  {"jwk", json::Parse(crypto::Jwk(new_key))},
                                                  {"url", url}});
  const json::Value payload = json::Value::Object(
      {{"account", account_url}, {"oldKey", json::Parse(crypto::Jwk(old_key))}});
  return crypto::SignJws(new_key, json::Write(header), json::Write(payload));
}

// Section 7.3.6: a deactivated account is answered with "unauthorized", whatever it asks. So is one
// whose key is wrong; but of a key that no account has the CA says that (section 7.3.1).
bool IsGone(Client& client, const model::Account& account, std::stop_token stop) {
  model::Account seen = account;
  try {
    FindAccountByKey(client, seen, stop);
    return false;
  } catch (const Error& error) {
    return seen.status == "deactivated" || error.failure().acme_type == "unauthorized";
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
    payload.Set("contact", Contact(wishes.email));
  }
  if (wishes.external) {
    payload.Set("externalAccountBinding",
                ExternalBinding(*wishes.external, signer.key, directory.new_account));
  }
  Adopt(client.Post(signer, directory.new_account, json::Write(payload), stop), account);
  account.terms = directory.terms_of_service;
}

void UpdateContact(Client& client, const std::string& email, model::Account& account,
                   std::stop_token stop) {
  const json::Value payload = json::Value::Object({{"contact", Contact(email)}});
  AdoptBody(client.Post(SignerOf(account), account.url, json::Write(payload), stop).Json(),
            account);
}

void RolloverKey(Client& client, const model::Account& account, std::stop_token stop) {
  const std::string url = client.GetDirectory(stop).key_change;
  if (url.empty()) {
    throw Error(FailureCode::kRefused, "this CA has no way to change the key of an account",
                "its directory has no keyChange (RFC 8555 section 7.3.5); a new account can be "
                "made: certwright account deactivate, then certwright account register");
  }
  const crypto::PrivateKey next = crypto::PrivateKey::FromPem(account.next_key_pem);
  const Signer signer = SignerOf(account);
  client.Post(signer, url, KeyChange(signer.key, next, account.url, url), stop);
}

void DeactivateAccount(Client& client, model::Account& account, std::stop_token stop) {
  try {
    client.Post(SignerOf(account), account.url, R"({"status":"deactivated"})", stop);
  } catch (const Error& error) {
    if (error.failure().acme_type != "unauthorized" || !IsGone(client, account, stop)) throw;
  }
  account.status = "deactivated";
}

}  // namespace certwright::acme

#include "certwright/acme/revocation.h"

#include <array>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::acme {

namespace {

struct Reason {
  const char* name;
  int code;
};
// Of RFC 5280's list those that are not the CA's to give.
constexpr std::array kReasons{Reason{"unspecified", 0}, Reason{"keyCompromise", 1},
                              Reason{"affiliationChanged", 3}, Reason{"superseded", 4},
                              Reason{"cessationOfOperation", 5}};

}  // namespace

std::vector<std::string> RevocationReasons() {
  std::vector<std::string> names;
  for (const Reason& reason : kReasons) names.emplace_back(reason.name);
  return names;
}

int RevocationReasonCode(std::string_view name) {
  for (const Reason& reason : kReasons) {
    if (reason.name == name) return reason.code;
  }
  throw Error(FailureCode::kInput,
              Cat("'", Printable(name, 40), "' is no reason to revoke a certificate"),
              Cat("the reasons are: ", Join(RevocationReasons(), ", ")));
}

void RevokeCertificate(Client& client, const Signer& signer, const std::string& chain_pem,
                       std::string_view reason, std::stop_token stop) {
  const std::string url = client.GetDirectory(stop).revoke_cert;
  if (url.empty()) {
    throw Error(FailureCode::kRefused, "this CA has no way to revoke a certificate",
                "its directory has no revokeCert (RFC 8555 section 7.6)");
  }
  json::Value payload = json::Value::Object(
      {{"certificate", Base64Url(crypto::InspectChain(chain_pem).front().der)}});
  // RFC 5280 section 5.3.1: "unspecified" is said by saying nothing.
  if (const int code = RevocationReasonCode(reason); code != 0) payload.Set("reason", code);
  try {
    client.Post(signer, url, json::Write(payload), stop);
  } catch (const Error& error) {
    if (error.failure().acme_type != "alreadyRevoked") throw;
  }
}

}  // namespace certwright::acme

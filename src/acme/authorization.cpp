#include "certwright/acme/authorization.h"

namespace certwright::acme {

bool DeactivatePending(Client& client, const Signer& signer, const std::string& url,
                       std::stop_token stop) {
  const Authorization seen =
      ParseAuthorization(client.PostAsGet(signer, url, stop).Json(), client.policy());
  if (seen.status != Status::kPending) return false;
  client.Post(signer, url, R"({"status":"deactivated"})", stop);
  return true;
}

}  // namespace certwright::acme

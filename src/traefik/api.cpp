#include "api.h"

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"

namespace certwright::traefik {

http::Response Api::Get(const std::string& path, std::stop_token stop) const {
  http::Request request;
  request.url = base_ + path;
  auto response = transport_.Send(request, stop);
  if (response.status != 200 && response.status != 404) {
    throw Error(FailureCode::kTraefik,
                Cat("Traefik's API at ", Printable(base_), " answers ", response.status),
                "check traefik.api: it must be the base URL of the API, reachable without a login");
  }
  return response;
}

bool Api::HasMiddleware(const std::string& name, std::stop_token stop) const {
  return Get(Cat("/api/http/middlewares/", name, "@file"), stop).status == 200;
}

bool Api::HasCertificate(const std::string& fingerprint, std::stop_token stop) const {
  return Get("/api/certificates/" + fingerprint, stop).status == 200;
}

RouterState Api::Router(const std::string& name, std::stop_token stop,
                        std::string_view provider) const {
  const auto response = Get(Cat("/api/http/routers/", name, "@", provider), stop);
  if (response.status != 200) return {};
  const auto router = json::Parse(response.body);
  return {router.String("status"), Join(router.Strings("error"), "; "), router.String("rule")};
}

EntryPoint Api::FindEntryPoint(const std::string& name, std::stop_token stop) const {
  const auto response = Get("/api/entrypoints/" + name, stop);
  if (response.status != 200) return {};
  const auto found = json::Parse(response.body);
  return {found.String("address"), found["http"]["redirections"]["entryPoint"].String("to")};
}

}  // namespace certwright::traefik

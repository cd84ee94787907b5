// What an administrator sets while the daemon runs: the CA, the proxies in front of Traefik.
#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/settings.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr int kExitSchema = 10;
constexpr int kExitBadAddress = 3;

json::Value ServerJson(const store::AcmeServer& server) {
  return json::Value::Object(
      {{"url", server.url}, {"email", server.email}, {"challenge", server.challenge}});
}

[[noreturn]] void FailUrl(const Invocation& call, const Failure& failure) {
  throw CheckFailed{kExitSchema, "url", "url", call.input["url"], "url_format", failure.detail,
                    failure};
}

}  // namespace

std::optional<json::Value> GetAcmeServer(const Invocation& call) {
  return ServerJson(call.context.acme_server());
}

std::optional<json::Value> SetAcmeServer(const Invocation& call) {
  store::AcmeServer server;
  server.url = Trim(call.input.String("url"));
  server.email = Trim(call.input.String("email"));
  server.challenge = call.input.String("challenge", call.context.acme_server().challenge);
  try {
    call.context.use_acme_server(server);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kInput) throw;
    FailUrl(call, error.failure());
  }
  if (server.challenge != "HTTP-01") {
    const std::string text =
        Cat(server.challenge, " is remembered; names are proved by HTTP-01 all the same");
    log::Warning(text);
    call.Note(text);
  }
  return std::nullopt;
}

std::optional<json::Value> GetTrustedProxies(const Invocation& call) {
  const store::TrustedProxies trusted = call.context.database.Read(
      [](store::Session& session) { return store::FindTrustedProxies(session); });
  return json::Value::Object({{"proxies", trusted.proxies}, {"depth", trusted.depth}});
}

std::optional<json::Value> SetTrustedProxies(const Invocation& call) {
  const Context& context = call.context;
  store::TrustedProxies trusted;
  for (const std::string& text : call.input.Strings("proxies")) {
    try {
      const model::Identifier address = model::ParseIdentifier(text);
      if (address.type != model::IdentifierType::kIp) throw Error(FailureCode::kInput, "");
      const auto& known = trusted.proxies;
      if (std::find(known.begin(), known.end(), address.value) != known.end()) continue;
      trusted.proxies.push_back(address.value);
    } catch (const Error&) {
      throw CheckFailed{kExitBadAddress, "proxies", "proxies", text, "bad_ip_address", "", {}};
    }
  }
  // Without a proxy the peer is the client, whatever depth is asked for.
  if (!trusted.proxies.empty()) trusted.depth = static_cast<int>(call.input.Int("depth", 1));
  const std::int64_t seq = context.database.Write([&](store::Session& session) {
    return store::SaveTrustedProxies(session, trusted, context.clock.Now());
  });
  if (seq == 0) return std::nullopt;
  AwaitRoutes(call, seq);
  if (context.traefik != nullptr) {
    call.Note("Traefik believes these proxies once its static configuration names them (see "
              "certwright traefik static) and it was started again");
  }
  return std::nullopt;
}

}  // namespace certwright::actions

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/store/settings.h"
#include "handler.h"

namespace certwright::actions {

namespace {

json::Value PairJson(const model::CertificateVersion& version) {
  return json::Value::Object(
      {{"cert", Base64(version.chain_pem)}, {"key", Base64(version.key_pem.Reveal())}});
}

}  // namespace

std::optional<json::Value> GetCertificate(const Invocation& call) {
  std::string name = ToLower(call.input.String("fqdn"));
  try {
    name = model::ParseIdentifier(name).value;  // an IDN is found by its A-labels
  } catch (const Error&) {
    // Nothing can be held for it; the answer is the self-signed pair, as for any unknown name.
  }
  const UnixSeconds now = call.context.clock.Now();
  return call.context.database.Read([&](store::Session& session) {
    const std::vector<store::HeldCertificate> matches = store::FindRanked(session, name, now);
    json::Value output = json::Value::Object({{"fqdn", call.input.String("fqdn")}});
    json::Value pairs = json::Array{};
    for (const store::HeldCertificate& match : matches) pairs.Append(PairJson(*match.current));
    if (matches.empty()) {
      if (const auto own = store::FindSelfSigned(session)) pairs.Append(PairJson(*own));
      output.Set("type", "selfsigned");
    } else {
      const bool uploaded = matches.front().current->origin == model::Origin::kUpload;
      output.Set("type", uploaded ? "custom" : "internal");
    }
    output.Set("obtained", !matches.empty())
        .Set("lets_encrypt", issue::IsAskedFor(session, name))
        .Set("certificates", pairs);
    return output;
  });
}

}  // namespace certwright::actions

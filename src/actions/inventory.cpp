// list, show, delete and export: what is held.
#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/export/bundle.h"
#include "certwright/export/chain.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/json/failure.h"
#include "certwright/store/orders.h"
#include "handler.h"
#include "wishes.h"

namespace certwright::actions {

namespace {

constexpr int kShownOrders = 10;

store::HeldCertificate Meant(const Invocation& call) {
  return call.context.database.Read([&](store::Session& session) {
    return FindMeant(session, call.input.String("certificate"));
  });
}

const model::CertificateVersion& CurrentOf(const store::HeldCertificate& held) {
  if (held.current) return *held.current;
  throw Error(FailureCode::kNotFound,
              Cat(held.certificate.name_set, " was asked for, but no certificate was obtained yet"),
              "'certwright show' tells the last error");
}

json::Value VersionJson(const model::CertificateVersion& version, bool is_current) {
  return json::Value::Object({{"serial", version.serial_hex},
                              {"current", is_current},
                              {"revoked_at", TimeOrNull(version.revoked_at)},
                              {"revocation_reason", version.revocation_reason},
                              {"issuer", version.issuer},
                              {"valid_from", FormatUtc(version.not_before)},
                              {"valid_to", FormatUtc(version.not_after)},
                              {"obtained_at", FormatUtc(version.created_at)}});
}

json::Value OrderJson(const model::OrderRecord& order) {
  return json::Value::Object(
      {{"state", model::OrderStateName(order.state)},
       {"ca", order.directory},
       {"url", order.url},
       {"forced", order.forced},
       {"created_at", FormatUtc(order.created_at)},
       {"updated_at", FormatUtc(order.updated_at)},
       {"failure", order.failure ? json::ToJson(*order.failure) : json::Value()}});
}

}  // namespace

std::optional<json::Value> List(const Invocation& call) {
  const UnixSeconds now = call.context.clock.Now();
  json::Value held = json::Array{};
  json::Value missing = json::Array{};
  call.context.database.Read([&](store::Session& session) {
    const std::string default_set = store::DefaultNameSet(session);
    Prospects prospects(call.context, session);
    for (const auto& certificate : store::ListWithoutChains(session)) {
      json::Value described = Describe(certificate, prospects.Of(certificate), now);
      described.Set("default", certificate.certificate.name_set == default_set);
      (certificate.current ? held : missing).Append(std::move(described));
    }
  });
  return json::Value::Object({{"certificates", held}, {"missing", missing}});
}

std::optional<json::Value> Show(const Invocation& call) {
  const UnixSeconds now = call.context.clock.Now();
  return call.context.database.Read([&](store::Session& session) {
    const store::HeldCertificate held = FindMeant(session, call.input.String("certificate"));
    const Prospect prospect = Prospects(call.context, session).Of(held);
    json::Value output = Describe(held, prospect, now);
    output.Set("default", held.certificate.name_set == store::DefaultNameSet(session));
    json::Value chain = json::Array{};
    if (held.current) {
      for (const exports::ChainEntry& entry : exports::DescribeChain(held.current->chain_pem)) {
        chain.Append(json::Value::Object({{"subject", entry.subject},
                                          {"issuer", entry.issuer},
                                          {"valid_to", FormatUtc(entry.not_after)}}));
      }
      output.Set("ari_id", held.current->ari_id).Set("window", WindowJson(prospect.window));
    }
    json::Value versions = json::Array{};
    for (const auto& version : store::ListVersions(session, held.certificate.id)) {
      versions.Append(VersionJson(version, held.current && held.current->id == version.id));
    }
    json::Value orders = json::Array{};
    for (const auto& order : store::ListOrders(session, held.certificate.id, kShownOrders)) {
      orders.Append(OrderJson(order));
    }
    output.Set("chain", chain).Set("versions", versions).Set("orders", orders);
    output.Set("consumers", ConsumersJson(session, output.Strings("names"), now));
    return output;
  });
}

std::optional<json::Value> Delete(const Invocation& call) {
  const Context& context = call.context;
  const UnixSeconds now = context.clock.Now();
  store::HeldCertificate held;
  const std::int64_t seq = context.database.Write([&](store::Session& session) {
    held = FindExact(session, call.input.String("certificate"));
    RefuseWhileUnderWay(call, held);
    return issue::RemoveWithWishes(session, held, "deleted", now);
  });
  AfterRemoval(call, seq);
  return json::Value::Object(
      {{"deleted", model::Names(held.current ? held.current->names : held.certificate.names)}});
}

std::optional<json::Value> Export(const Invocation& call) {
  const store::HeldCertificate held = Meant(call);
  const model::CertificateVersion& version = CurrentOf(held);
  const exports::Format format = exports::FormatFromName(call.input.String("format", "pem"));
  const Secret content =
      exports::MakeBundle(version, format, Secret(call.input.String("password")));
  return json::Value::Object({{"names", model::Names(version.names)},
                              {"serial", version.serial_hex},
                              {"format", exports::FormatName(format)},
                              {"has_key", exports::HasKey(format)},
                              {"content", Base64(content.Reveal())}});
}

}  // namespace certwright::actions

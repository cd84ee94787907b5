// get-route, list-routes, delete-route, and module-removed.
#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "handler.h"
#include "route_input.h"

namespace certwright::actions {

namespace {

// Takes routes away, in one transaction; gives the last event's number.
std::int64_t Delete(const Invocation& call, store::Session& session,
                    const std::vector<model::Route>& routes, bool cleanup) {
  const UnixSeconds now = call.context.clock.Now();
  for (const model::Route& route : routes) store::DeleteRoute(session, route.instance, now);
  for (const model::Route& route : routes) {
    if (route.host.empty()) continue;
    issue::GiveUpForRoute(session, call.context.jobs, route.host, cleanup, now);
  }
  return store::LastEvent(session);
}

json::Value Expanded(store::Session& session, const model::Route& route, UnixSeconds now) {
  json::Value value = RouteJson(route);
  const bool wanted = route.lets_encrypt && !route.host.empty();
  if (wanted && !store::IsCovered(session, route.host, now)) {
    value.Set("lets_encrypt_status", "pending");
  }
  return value;
}

// The event reaches every node.
bool IsOfThisNode(const json::Value& node, int own) {
  if (const auto text = node.AsString()) return *text == std::to_string(own);
  if (const auto number = node.AsInt()) return *number == own;
  return true;  // not said
}

}  // namespace

bool BearsToken(std::string_view text, std::string_view token) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (token.empty()) return false;
  for (auto at = text.find(token); at != std::string_view::npos; at = text.find(token, at + 1)) {
    const std::size_t end = at + token.size();
    const bool begins = at == 0 || !is_part(text[at - 1]);
    if (begins && (end == text.size() || !is_part(text[end]))) return true;
  }
  return false;
}

std::optional<json::Value> GetRoute(const Invocation& call) {
  return call.context.database.Read([&](store::Session& session) {
    const auto route = store::FindRoute(session, call.input.String("instance"));
    return route ? RouteJson(*route) : json::Value::Object();
  });
}

std::optional<json::Value> ListRoutes(const Invocation& call) {
  const bool expand = call.input.Bool("expand_list");
  const UnixSeconds now = call.context.clock.Now();
  return call.context.database.Read([&](store::Session& session) {
    json::Value list = json::Array{};
    for (const model::Route& route : store::ListRoutes(session)) {
      list.Append(expand ? Expanded(session, route, now) : json::Value(route.instance));
    }
    return list;
  });
}

std::optional<json::Value> DeleteRoute(const Invocation& call) {
  const std::int64_t seq = call.context.database.Write([&](store::Session& session) {
    std::vector<model::Route> routes;
    if (auto route = store::FindRoute(session, call.input.String("instance"))) {
      routes.push_back(std::move(*route));
    }
    return Delete(call, session, routes, call.input.Bool("lets_encrypt_cleanup"));
  });
  AwaitRoutes(call, seq);
  return std::nullopt;
}

std::optional<json::Value> ModuleRemoved(const Invocation& call) {
  std::vector<model::Route> routes;
  if (IsOfThisNode(call.input["node"], call.context.node_id)) {
    const std::string module = call.input.String("module");
    const std::int64_t seq = call.context.database.Write([&](store::Session& session) {
      routes = store::ListRoutes(session);
      std::erase_if(routes, [&](const auto& route) { return !BearsToken(route.instance, module); });
      return Delete(call, session, routes, false);
    });
    AwaitRoutes(call, seq);
  }
  std::vector<std::string> instances;
  for (const model::Route& route : routes) instances.push_back(route.instance);
  return json::Value::Object({{"routes", instances}});
}

}  // namespace certwright::actions

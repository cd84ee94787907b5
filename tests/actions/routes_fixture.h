// Routes over the fixture of all actions.
#pragma once

#include <thread>

#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "fixture.h"

namespace certwright::actions {

class RoutesTest : public ActionsTest {
 protected:
  // As in the daemon: what is begun in the background goes on.
  RoutesTest() {
    Context context = MakeContext();
    context.is_daemon = true;
    context.node_id = 3;
    runner_.emplace(context);
  }

  std::string Route(const std::string& instance) {
    return json::Write(Output("get-route", Cat(R"({"instance":")", instance, "\"}")));
  }
  // "pending", or "" where it is there or not wanted.
  std::string Status(const std::string& instance) {
    const json::Value routes = Output("list-routes", R"({"expand_list":true})");
    for (const json::Value& route : routes.Items()) {
      if (route.String("instance") == instance) return route.String("lets_encrypt_status");
    }
    return "no such route";
  }
  void WaitUntilIdle(const std::string& name_set) {
    for (int i = 0; i < 5000 && jobs_->IsUnderWay(name_set); ++i) {
      std::this_thread::sleep_for(Millis(1));
    }
  }
  std::optional<store::HeldCertificate> Managed(const std::string& name_set) {
    return database_->Read(
        [&](store::Session& session) { return store::FindByNameSet(session, name_set); });
  }
  std::int64_t LastEvent() { return database_->Read(store::LastEvent); }
  std::string EventsAfter(std::int64_t seq) {
    std::string text;
    for (const model::Event& event : database_->Read(
             [&](store::Session& session) { return store::ListEvents(session, seq, 100); })) {
      text += Cat(text.empty() ? "" : ", ", event.name, " ", event.reason, " ", event.names.at(0));
    }
    return text;
  }
};

}  // namespace certwright::actions

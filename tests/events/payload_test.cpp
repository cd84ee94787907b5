#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/events/feed.h"
#include "certwright/json/value.h"
#include "payload_json.h"

namespace certwright::events {
namespace {

model::Event EventOf(const char* name, const char* reason) {
  model::Event event;
  event.seq = 7;
  event.name = name;
  event.reason = reason;
  event.names = {"a.example.org"};
  event.not_after = 1'790'000'000;
  return event;
}

TEST(PayloadJson, OfAChangeIsWhatCallersKnow) {
  EXPECT_EQ(PayloadJson(EventOf("certificate-changed", "issued"), 3, "traefik1"),
            R"({"node_id":3,"module_id":"traefik1","names":["a.example.org"],"id":7,)"
            R"("reason":"issued"})");
}

TEST(PayloadJson, OfRoutesAndTheirHosts) {
  EXPECT_EQ(PayloadJson(EventOf("routes-changed", "set"), 3, "traefik1"),
            R"({"node_id":3,"module_id":"traefik1","names":["a.example.org"],"id":7,)"
            R"("reason":"set"})");
  EXPECT_EQ(PayloadJson(EventOf("hosts-changed", "set"), 3, "traefik1"), R"({"node_id":"3"})");
}

TEST(PayloadJson, OfAnythingElseSaysWhatIsWrong) {
  model::Event event = EventOf("certificate-failed", "parked");
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.detail = "cut off";
  failure.retry_at = 1'780'000'000;
  event.failure = failure;
  EXPECT_EQ(PayloadJson(event, 3, "traefik1"),
            R"({"node_id":3,"module_id":"traefik1","names":["a.example.org"],"id":7,)"
            R"("reason":"parked","not_after":"2026-09-21T14:13:20Z","failure":{"code":"network",)"
            R"("detail":"cut off","advice":"","acme_type":"","identifiers":[],"subproblems":[],)"
            R"("transient":false,"retry_at":"2026-05-28T20:26:40Z"},)"
            R"("next_try":"2026-05-28T20:26:40Z"})");
}

TEST(PayloadJson, NothingIsNull) {
  model::Event event = EventOf("certificate-expiring", "days");
  event.not_after = 0;
  EXPECT_THAT(PayloadJson(event, 3, "traefik1"),
              ::testing::HasSubstr(R"("not_after":null,"failure":null,"next_try":null})"));
}

TEST(FeedEntry, IsTheEventAroundItsPayload) {
  const json::Value entry = FeedEntry(EventOf("hosts-changed", "set"), {3, "traefik1"});
  EXPECT_EQ(entry.Int("id"), 7);
  EXPECT_EQ(entry.String("type"), "hosts-changed");
  EXPECT_EQ(ParseRfc3339(entry.String("timestamp")), EventOf("", "").created_at);
  EXPECT_EQ(json::Write(entry["data"]), R"({"node_id":"3"})");
}

TEST(Concerns, NamesAndOneLabelWildcardsOfThisNode) {
  const struct {
    const char* event;
    const char* name;
    bool concerns;
  } kTable[] = {
      {R"({"node_id":3,"names":["a.example.org"]})", "a.example.org", true},
      {R"({"node_id":"3","names":["a.example.org"]})", "A.Example.Org", true},
      {R"({"node_id":3,"names":["*.example.org"]})", "a.example.org", true},
      {R"({"node_id":3,"names":["*.example.org"]})", "a.b.example.org", false},
      {R"({"node_id":3,"names":["*.example.org"]})", "example.org", false},
      {R"({"node_id":3,"names":["*.example.org"]})", "*.example.org", true},
      {R"({"node_id":4,"names":["a.example.org"]})", "a.example.org", false},
      {R"({"node_id":3,"names":[]})", "a.example.org", false},
      {R"({"node_id":"3"})", "a.example.org", false},
      {R"({"id":7,"data":{"node_id":3,"names":["a.example.org"]}})", "a.example.org", true},
      {R"([])", "a.example.org", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Concerns(json::Parse(row.event), "3", row.name), row.concerns)
        << row.event << " " << row.name;
  }
}

}  // namespace
}  // namespace certwright::events

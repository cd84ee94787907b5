#include "certwright/events/webhook.h"

#include "../store/store_fixture.h"

namespace certwright::events {
namespace {

class NoonClock : public Clock {
 public:
  UnixSeconds Now() const override { return 1'700'000'000; }
  Steady SteadyNow() const override { return {}; }
  bool Sleep(Millis, std::stop_token) override { return true; }
};

class WebhookTest : public testing::Test {
 protected:
  std::unique_ptr<Subscriber> Make() {
    WebhookOptions options;
    options.name = "webhook:hooks.example.org-0";
    options.kinds = {"certificate-changed"};
    options.node = {2, "traefik.3"};
    options.sign = [this](const std::string& text) {
      signed_ = text;
      return std::string("c2ln");
    };
    options.post = [this](const WebhookOptions::Headers& headers, const std::string& body,
                          std::stop_token) {
      headers_ = headers;
      body_ = body;
      return status_;
    };
    return MakeWebhook(std::move(options), clock_);
  }

  NoonClock clock_;
  int status_ = 204;
  std::string signed_;
  std::string body_;
  WebhookOptions::Headers headers_;
  model::Event event_{9, "certificate-changed", "issued", {"a.example.org"}, 1, 0, {}, 1000};
};

TEST_F(WebhookTest, SendsTheSignedEntryOfTheFeed) {
  const auto hook = Make();
  hook->Deliver(std::span(&event_, 1), {});
  EXPECT_EQ(body_, json::Write(FeedEntry(event_, {2, "traefik.3"})));
  EXPECT_EQ(signed_, "traefik_3_2_9.1700000000." + body_);
  EXPECT_EQ(headers_, (WebhookOptions::Headers{{"webhook-id", "traefik_3_2_9"},
                                               {"webhook-timestamp", "1700000000"},
                                               {"webhook-signature", "v1,c2ln"}}));
  EXPECT_EQ(hook->kinds(), store::Kinds{"certificate-changed"});
  EXPECT_TRUE(hook->replays());
}

TEST_F(WebhookTest, FailsByEveryStatusThatIsNoSuccess) {
  const auto hook = Make();
  for (const int status : {199, 300, 302, 404, 410, 503}) {
    status_ = status;
    const Failure failure = store::FailureOf([&] { hook->Deliver(std::span(&event_, 1), {}); });
    EXPECT_EQ(failure.detail, "event 9: HTTP " + std::to_string(status));
  }
}

}  // namespace
}  // namespace certwright::events

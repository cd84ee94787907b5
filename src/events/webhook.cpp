#include "certwright/events/webhook.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::events {
namespace {

class Webhook : public Subscriber {
 public:
  Webhook(WebhookOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  std::string name() const override { return options_.name; }
  store::Kinds kinds() const override { return options_.kinds; }
  bool replays() const override { return true; }
  Millis longest_pause() const override { return std::chrono::minutes(10); }

  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    for (const model::Event& event : events) Send(event, stop);
  }

 private:
  void Send(const model::Event& event, std::stop_token stop) {
    const std::string body = json::Write(FeedEntry(event, options_.node));
    const std::string id = IdOf(event);
    const std::string timestamp = Cat(clock_.Now());
    const std::string signature = options_.sign(Cat(id, ".", timestamp, ".", body));
    const int status = options_.post({{"webhook-id", id},
                                      {"webhook-timestamp", timestamp},
                                      {"webhook-signature", Cat("v1,", signature)}},
                                     body, stop);
    if (status >= 200 && status <= 299) return;
    throw Error(FailureCode::kServer, Cat("event ", event.seq, ": HTTP ", status));
  }

  // Without the dot that divides what is signed.
  std::string IdOf(const model::Event& event) const {
    std::string id = Cat(options_.node.module_id, "_", options_.node.id, "_", event.seq);
    std::replace(id.begin(), id.end(), '.', '_');
    return id;
  }

  const WebhookOptions options_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<Subscriber> MakeWebhook(WebhookOptions options, Clock& clock) {
  return std::make_unique<Webhook>(std::move(options), clock);
}

}  // namespace certwright::events

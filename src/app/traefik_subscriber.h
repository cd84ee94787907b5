// Traefik as the feed's first subscriber: traefik knows nothing of events, so they meet here.
#pragma once

#include <algorithm>
#include <span>
#include <stop_token>
#include <string>

#include "certwright/events/feed.h"
#include "certwright/traefik/publisher.h"

namespace certwright::app {

class TraefikSubscriber : public events::Subscriber {
 public:
  explicit TraefikSubscriber(traefik::Publisher& publisher) : publisher_(publisher) {}
  std::string name() const override { return traefik::kSubscriberName; }
  // A rendering takes many changes at once.
  int batch() const override { return 1000; }
  bool catches_up() const override { return true; }
  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    const auto is_change = [](const model::Event& event) {
      return event.name == events::kCertificateChanged || event.name == events::kRoutesChanged;
    };
    const bool catch_up = events.empty();
    if (catch_up || std::any_of(events.begin(), events.end(), is_change)) publisher_.Publish(stop);
  }

 private:
  traefik::Publisher& publisher_;
};

}  // namespace certwright::app

// Traefik as the feed's first subscriber: traefik knows nothing of events, so they meet here.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/traefik/publisher.h"

namespace certwright::app {

class TraefikSubscriber : public events::Subscriber {
 public:
  TraefikSubscriber(traefik::Publisher& publisher, Clock& clock)
      : publisher_(publisher), clock_(clock) {}
  std::string name() const override { return traefik::kSubscriberName; }
  // A rendering takes many changes at once.
  int batch() const override { return 1000; }
  bool catches_up() const override { return true; }
  std::optional<Millis> longest_rest() const override { return publisher_.GoodFor(); }
  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    const auto is_change = [](const model::Event& event) {
      return event.name == events::kCertificateChanged || event.name == events::kRoutesChanged ||
             event.name == events::kDefaultCertificateChanged;
    };
    const auto changes = std::count_if(events.begin(), events.end(), is_change);
    if (changes == 0 && !events.empty()) return;
    // Came while the last rendering was made, and was in it: its caller waits for nothing more.
    if (!events.empty() && publisher_.Shows(events.back().seq)) return;
    if (several_) clock_.Sleep(kGather, stop);
    several_ = changes > 1;
    publisher_.Publish(stop);
  }

 private:
  // Where several changes came together, those who made them were just answered and make the next
  // ones now: all of them together are one rendering. Traefik takes no change sooner than its
  // throttle after the last one (100 ms and more), so that nobody waits longer for it.
  static constexpr Millis kGather{20};

  traefik::Publisher& publisher_;
  Clock& clock_;
  bool several_ = false;
};

}  // namespace certwright::app

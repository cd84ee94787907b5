#include "served.h"

#include <span>

#include "certwright/base/error.h"

namespace certwright::app {

namespace {

constexpr Millis kLookTimeout{10'000};

void AddTraefik(traefik::Publisher& publisher, std::vector<served::Spot>& spots,
                std::stop_token stop) {
  const auto serving = publisher.Serving(std::move(stop));
  if (!serving) return;
  for (const std::string& name : serving->names) {
    spots.push_back({served::kTraefikEndpoint, name, true,
                     [host = serving->host, port = serving->port, name](std::stop_token stop) {
                       return probe::LookAtWeb(host, port, name, kLookTimeout, std::move(stop));
                     }});
  }
}

served::Spot SpotOf(const config::Served& configured) {
  const auto starttls = probe::StartTlsFromName(configured.starttls);
  if (!starttls) throw Error(FailureCode::kInternal, "a protocol that probe does not know");
  const int port = configured.port > 0 ? configured.port : probe::UsualPort(*starttls);
  const probe::Endpoint endpoint{configured.host, port, *starttls};
  return {probe::EndpointText(endpoint), configured.name, false,
          [endpoint, name = configured.name](std::stop_token stop) {
            return probe::LookAtEndpoint(endpoint, name, kLookTimeout, std::move(stop));
          }};
}

class WatchSubscriber : public events::Subscriber {
 public:
  explicit WatchSubscriber(served::Watch& watch) : watch_(watch) {}
  std::string name() const override { return "served"; }
  store::Kinds kinds() const override { return {events::kCertificateChanged}; }
  int batch() const override { return 1000; }
  void Deliver(std::span<const model::Event> events, std::stop_token) override {
    for (const model::Event& event : events) watch_.Changed(event.names);
  }

 private:
  served::Watch& watch_;
};

}  // namespace

std::unique_ptr<served::Watch> MakeWatch(const config::Config& config,
                                         traefik::Publisher* publisher, store::Database& database,
                                         events::Feed& feed, Clock& clock) {
  std::vector<served::Spot> configured;
  for (const config::Served& each : config.served) configured.push_back(SpotOf(each));
  const auto spots = [configured, publisher](std::stop_token stop) {
    std::vector<served::Spot> all = configured;
    if (publisher != nullptr) AddTraefik(*publisher, all, std::move(stop));
    return all;
  };
  return std::make_unique<served::Watch>(
      spots, database, feed, clock,
      served::Options{config.probe.served_grace, config.probe.served_every});
}

std::unique_ptr<events::Subscriber> MakeWatchSubscriber(served::Watch& watch) {
  return std::make_unique<WatchSubscriber>(watch);
}

}  // namespace certwright::app

// Keeps Traefik in step with the store: the feed's first subscriber.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/events/feed.h"
#include "certwright/http/transport.h"
#include "certwright/store/database.h"

namespace certwright::traefik {

struct TraefikOptions {
  Path dynamic_dir;       // certwright.yml is written here
  Path certificate_dir;   // versioned PEM files
  std::string group;      // of the PEM files, "" : ours and 0600
  std::string api;        // base URL, "" : liveness is not known
  std::string https_address;  // "127.0.0.1:443"; "" : asked from the API's entry points
  std::string http_entrypoint = "http";
  std::string https_entrypoint = "https";
  std::string challenge_url;
  Millis live_timeout{11'000};
};

// What `traefik check` says of one certificate.
struct ServedCertificate {
  std::string name;            // the SNI that was tried
  std::string wanted_serial;
  std::string served_serial;   // "" where no handshake was had
  bool loaded = false;         // Traefik's API knows exactly this leaf
  bool served = false;         // and a handshake shows it
  std::string problem;         // in words, "" where all is well
};
struct CheckReport {
  bool written = false;        // certwright.yml is what the store asks for
  bool live = false;           // Traefik's API shows this generation
  std::string problem;
  std::vector<ServedCertificate> certificates;
};

class Publisher {
 public:
  Publisher(TraefikOptions options, store::Database& database, http::Transport& transport,
            Clock& clock);

  // The text that the store asks for now (nothing is written).
  std::string RenderText();
  // Writes certificate files, renames certwright.yml into place where it differs, waits until it is live
  // (where the API is known), then removes files that nothing names any more.
  // Throws Error(kDisk | kPermission) for the files and Error(kTraefik) where it does not become live.
  void Publish(std::stop_token stop);
  // The last word for one certificate: a handshake with `name` as SNI until it shows `serial_hex`, or the time is over.
  // True at once where no address is known.
  bool WaitServed(const std::string& name, const std::string& serial_hex, Millis timeout,
                  std::stop_token stop);
  CheckReport Check(std::stop_token stop);

 private:
  struct Plan;
  Plan MakePlan();
  bool WaitLive(const std::string& generation, std::stop_token stop);
  std::string HttpsAddress(std::stop_token stop);

  TraefikOptions options_;
  store::Database& database_;
  http::Transport& transport_;
  Clock& clock_;
};

inline constexpr char kSubscriberName[] = "traefik";
// The feed's subscriber around it (batch of 1000, catches up at start).
std::unique_ptr<events::Subscriber> MakeSubscriber(Publisher& publisher);

}  // namespace certwright::traefik

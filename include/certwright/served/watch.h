// "Issued but not served": whether endpoints show what is held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/probe/endpoint.h"
#include "certwright/store/database.h"

namespace certwright::served {

// The events, see schema/json.
inline constexpr char kCertificateNotServed[] = "certificate-not-served";
inline constexpr char kCertificateServed[] = "certificate-served";

// The endpoint that is known by itself, and not by the configuration.
inline constexpr char kTraefikEndpoint[] = "traefik";

// A server name that is asked for at an endpoint.
struct Spot {
  std::string endpoint;  // how it is known: "traefik", probe::EndpointText
  std::string name;
  // Any current certificate that covers the name will do, and not only the one that get-certificate
  // gives: Traefik has rules of its own.
  bool any_current = false;
  // Throws Error where nothing is shown.
  std::function<probe::ShownLeaf(std::stop_token)> look;
};

struct Options {
  std::int64_t grace = 300;    // seconds that something else may be shown before it is told
  std::int64_t every = 86400;  // seconds from one look at everything to the next
};

// Looks soon after a change, again while something else is shown, and at everything once a day. What
// was seen is stored (store/served.h). Something else, or nothing, for longer than `grace` is told
// as certificate-not-served (reason "other" or "unreachable"), once; that it is well again as
// certificate-served (reason "again"). Names that nothing is held for are not looked at.
class Watch {
 public:
  // What there is to look at by now; may throw Error (then later).
  using Spots = std::function<std::vector<Spot>(std::stop_token)>;

  Watch(Spots spots, store::Database& database, events::Feed& feed, Clock& clock, Options options);
  ~Watch();

  // One thread, which waits until the next look is due.
  void Start();
  void Stop();
  // The certificates for these names ("*.example.org" is one) changed. Any thread.
  void Changed(const std::vector<std::string>& names);

  // Looks at all that is due, and gives when the next look is. Of one thread at a time, as LookAtAll.
  UnixSeconds LookAtDue(std::stop_token stop);
  // Looks at everything, now.
  void LookAtAll(std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::served

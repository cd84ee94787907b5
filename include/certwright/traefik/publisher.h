// Keeps Traefik in step with the store: the feed's first subscriber.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/base/sync.h"
#include "certwright/http/transport.h"
#include "certwright/store/database.h"

namespace certwright::traefik {

struct TraefikOptions {
  Path dynamic_dir;           // certwright.yml is written here
  Path certificate_dir;       // versioned PEM files
  std::string group;          // of the PEM files, "" : ours and 0600
  std::string api;            // base URL, "" : liveness is not known
  std::string https_address;  // "127.0.0.1:443"; "" : asked from the API's entry points
  std::string http_entrypoint = "http";
  std::string https_entrypoint = "https";
  std::string challenge_url;  // "http://" and the responder's address; ":9180" and the like stand
                              // for loopback
  Millis live_timeout{11'000};
};

// What `traefik check` says of one certificate.
struct ServedCertificate {
  std::string name;  // the SNI that was tried
  std::string wanted_serial;
  std::string served_serial;  // "" where no handshake was had
  bool loaded = false;        // Traefik's API knows exactly this leaf
  bool served = false;        // and a handshake shows it
  std::string problem;        // in words, "" where all is well
};
// What Traefik's API says of the routers of one route.
struct ServedRoute {
  std::string instance;
  std::string rule;
  std::string problem;  // in words, "" where both are enabled
};
struct CheckReport {
  bool written = false;  // certwright.yml is what the store asks for
  bool live = false;     // Traefik's API shows this generation
  std::string problem;   // "" where written, and live or not known
  std::vector<ServedCertificate> certificates;
  std::vector<ServedRoute> routes;  // those that were written; empty where the API cannot be asked
  std::vector<std::string>
      notes;  // no problem by themselves: other files, certificates with the same names
};

// Where handshakes show what Traefik was given, and the server names to ask for (for a wildcard one
// below it).
struct Serving {
  std::string host;
  int port = 0;
  std::vector<std::string> names;
};

// What a look at Traefik found.
enum class Seen {
  kServed,
  kNotServed,    // another certificate is shown
  kUnreachable,  // nobody answers there
  kNotLooked,    // no address is known, there is no host name to ask for, or another certificate
                 // with the same names goes first
};

// The DER of the leaf that HOST:PORT shows for a server name, as http::PeerCertificate.
using PeerLookup = std::function<std::string(const std::string& address, int port,
                                             const std::string& server_name, Millis timeout)>;

class PemFiles;

// Safe from several threads.
class Publisher {
 public:
  // `peer` empty: http::PeerCertificate. The self-signed pair must be in the store's settings
  // before anything else is called: Error(kInternal) otherwise.
  Publisher(TraefikOptions options, store::Database& database, http::Transport& transport,
            Clock& clock, PeerLookup peer = {});

  // The text that the store asks for now (nothing is written). Names no key, holds no key.
  std::string RenderText();
  // Writes certificate files, renames certwright.yml into place where it differs, waits until it is
  // live (where the API is known), then removes files that nothing names any more. Without an API
  // the files of the former generation stay until the next change. Does nothing where, since the last
  // time that it came to its end, the store has no new event, certwright.yml is as it was left, and of
  // two certificates with the same names none has come to a date: all else must be told by events.
  // Throws Error(kDisk | kPermission) for the files, Error(kConfig) where dynamic_dir is missing, and
  // Error(kTraefik) where it does not become live.
  void Publish(std::stop_token stop);
  // When Publish is to be called next, though nothing happens: at most a minute from now, to look at
  // the file (and at the clock, which may jump).
  Millis GoodFor();
  // Whether a Publish that came to its end had what the store held at this event.
  bool Shows(std::int64_t event_seq);
  // The last word for one certificate: a handshake with `name` as SNI until it shows `serial_hex`,
  // or the time is over: then what the last look found. A timeout of 0 is one look. `serial_hex`
  // must be of a current version. kNotLooked at once where no address is known, and for an IP
  // address (there is no SNI for it).
  Seen WaitServed(const std::string& name, const std::string& serial_hex, Millis timeout,
                  std::stop_token stop);
  CheckReport Check(std::stop_token stop);
  // nullopt where no address is known.
  std::optional<traefik::Serving> Serving(std::stop_token stop);

 private:
  struct Plan;
  Plan MakePlan();
  std::vector<std::int64_t> VersionsToWrite(const Plan& plan, const PemFiles& files) const;
  // False where the store has moved on: a version of the plan is not there any more. `changed` is
  // set where a file was written.
  bool WritePems(const Plan& plan, bool& changed);
  // `former`: the text in whose place the plan's came, "" for none.
  void RemoveOthers(const Plan& plan, bool changed, const std::string& former) const;
  void WriteText(const std::string& text) const;
  // Whether what was live last is what is to be live now.
  bool IsLive();
  void WaitLive(const std::string& generation, std::stop_token stop);
  std::string HttpsAddress(std::stop_token stop);

  TraefikOptions options_;
  store::Database& database_;
  http::Transport& transport_;
  Clock& clock_;
  PeerLookup peer_;
  Sync<std::string> last_https_address_;  // as the API said it
  std::mutex publishing_;
  // Guarded by it. Version -> fingerprint of those whose files were written or compared by this
  // process, and what is live: the plan of the store at this event and between these times, in the
  // file that looked so.
  std::unordered_map<std::int64_t, std::string> compared_;
  std::int64_t live_event_ = -1;
  UnixSeconds live_from_ = 0, live_until_ = 0;
  std::string live_file_;
};

// The key of its stored position in the feed (the subscriber itself stands in app): never rename.
inline constexpr char kSubscriberName[] = "traefik";

}  // namespace certwright::traefik

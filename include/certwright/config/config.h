// The configuration file (TOML), its defaults and its checks; the only user of toml++.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/model/key_type.h"

namespace certwright::config {

struct ApiSocket {
  Path path;
  std::string role = "owner";  // owner, reader, certadm, routeadm, fulladm
  mode_t mode = 0600;
  std::string group;
  std::string caller;
};

// A CA and the account at it.
struct CertificateAuthority {
  std::string directory;  // a URL: short names are resolved
  std::string email;
  bool agree_to_terms = false;
  Path ca_bundle;
  std::string profile;
  std::string preferred_chain;
  std::string eab_kid;
  Path eab_hmac_key_file;
};

// Where events are sent to.
struct Webhook {
  std::string url;
  std::vector<std::string> kinds;  // of events; none: all
  Path secret_file;
  Path ca_bundle;              // "" : only the system's roots
  bool allow_private = false;  // addresses of this machine and of private networks
};

// What is kept in step on disk for a consumer: one [[export]].
struct Export {
  std::vector<std::string> names;  // host names, one at least
  Path dir;                        // either a folder that is switched as a whole,
  Path path;                       // or one file
  std::string format = "pem";      // one of kExportFormats
  std::string name;                // how it is known; where the file has none: its target
  std::string owner;               // "" : ours
  std::string group;
  std::optional<mode_t> mode;      // of its files; none: see exports::Target
  Path password_file;              // of pkcs12
  std::vector<std::string> reload; // program and arguments
  int reload_timeout = 60;         // seconds, 1..3600

  const Path& target() const { return dir.empty() ? path : dir; }
};
// As exports::FormatNames.
inline constexpr const char* kExportFormats[] = {"pem",      "fullchain", "cert",   "chain", "key",
                                                 "combined", "haproxy",   "pkcs12", "der",   "json"};

// Where somebody else serves what is held: one [[served]].
struct Served {
  std::string host;
  int port = 0;      // 0: the usual one
  std::string name;  // host name that is asked for; where the file has none: host
  std::string starttls = "none";  // one of kStartTls
};
// As probe::StartTlsNames.
inline constexpr const char* kStartTls[] = {"none", "smtp", "imap",    "pop3",
                                            "ftp",  "ldap", "postgres"};

struct Config {
  Path state_dir;
  Path runtime_dir;
  std::string log_level = "info";
  int node_id = 1;
  std::string module_id = "traefik1";

  struct Acme : CertificateAuthority {
    bool allow_http_loopback = false;
    int exchange_timeout = 30;  // seconds, 1..300
    std::vector<CertificateAuthority> fallback;  // in order of preference; each another directory
  } acme;

  struct Certificate {
    model::KeyType key_type = model::KeyType::kEc256;
    bool reuse_key = false;
  } certificate;

  std::string http01_listen = "127.0.0.1:9180";

  struct Traefik {
    Path dynamic_dir;      // "" : Traefik is not used
    Path certificate_dir;  // default: state_dir/traefik
    std::string group;     // group that may read the key files; "" : none
    std::string api;
    std::string https_address;
    std::string http_entrypoint = "http";
    std::string https_entrypoint = "https";
  } traefik;

  struct Fuse {
    int orders_per_name_set = 4;       // 1..1000
    std::int64_t window = 168 * 3600;  // seconds, from "168h", "7d", "30m"; 60 s .. 365 d
  } fuse;

  Path ledger_limits;  // "" : only those that are built in; see config/ca_limits.h

  struct Probe {
    std::vector<std::string> resolver;  // "IP:PORT"; empty: the system's
    int http_port = 80;                 // where the CA looks for HTTP-01
    std::int64_t served_grace = 300;    // seconds, 1 s .. 1 d
    std::int64_t served_every = 86400;  // seconds, 1 min .. 7 d
  } probe;

  struct Renewal {
    int side_by_side = 8;        // certificates at one CA, 1..32
    std::int64_t check = 60;     // seconds, 1 s .. 1 h
    std::int64_t interval = 60;  // seconds, 60 s .. 1 h
  } renewal;

  struct Upload {
    std::string verify = "chain";  // chain | selfsign | none
    Path roots;                    // "" : only the system's
  } upload;

  Path events_dir;
  int events_timeout = 60;  // seconds a handler may take, 1..3600
  std::int64_t events_keep_count = 10'000;         // 100..1,000,000
  std::int64_t events_keep_for = 30 * 24 * 3600;  // seconds, 1 h .. 3650 d

  std::string metrics_listen;  // "" : nowhere but on the API's sockets

  std::vector<Webhook> events_webhooks;  // each another URL

  std::vector<Export> exports;  // each with a target and a name of its own

  std::vector<Served> served;

  std::vector<ApiSocket> api_sockets;  // one at least

  Path file;  // that was read, "" where there was none
  // Every key in force: its value as TOML text and where it came from ("default", "FILE:LINE").
  struct Origin {
    std::string value;
    std::string source;
  };
  std::map<std::string, Origin> origins;
};

// `file` from --config, else CERTWRIGHT_CONFIG (`environment_file`), else
// /etc/certwright/certwright.toml where it exists, else defaults. Relative paths are relative to
// the file. As a user who is not root the default directories are $XDG_STATE_HOME/certwright (else
// ~/.local/state/certwright) and $XDG_RUNTIME_DIR/certwright (else state_dir/run). Throws
// Error(kConfig): file, line, key, what is wrong, what would be right, and the nearest known key.
Config Load(const std::optional<Path>& file);

// What Load asks of the process around it.
struct Environment {
  bool root = true;            // the effective user
  std::string config_file;     // CERTWRIGHT_CONFIG
  std::string xdg_state_home;  // taken where absolute, as the XDG specification demands
  std::string xdg_runtime_dir;
  std::string home;
  Path standard_file = "/etc/certwright/certwright.toml";
};
Environment ProcessEnvironment();
Config Load(const std::optional<Path>& file, const Environment& environment);

// The URL behind a short name of a CA ("letsencrypt"); any other text as it is.
std::string DirectoryOf(const std::string& name);
// The URLs behind all short names.
std::vector<std::string> KnownDirectories();

// What acme.directory and acme.email would be refused for, of a value that does not come from the
// file. Throw Error(kInput). The first gives the URL.
std::string CheckedDirectory(const std::string& text, bool allow_http_loopback);
void CheckContact(const std::string& email);

// Every key that the file may hold, in the order of the documentation. The keys of one
// [[api.socket]] are there as "api.socket.path" and so on, and so are those of the other sections
// that may come several times.
struct KeyInfo {
  std::string name;
  std::string value;  // the default (of root) as TOML text
  std::string description;
};
std::vector<KeyInfo> KnownKeys();

}  // namespace certwright::config

#include "keys.h"

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "key_kinds.h"

namespace certwright::config {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::size_t kSocketPathBytes = 107;  // sockaddr_un, without the final zero

Key<CertificateAuthority> DirectoryKey() {
  return {"directory", "\"letsencrypt\"",
          "directory URL of the CA, or a short name: letsencrypt, letsencrypt-staging, zerossl, "
          "google, google-staging",
          [](const Value& value, CertificateAuthority& ca) {
            ca.directory = ResolveDirectory(value.Text());
          },
          [](const CertificateAuthority& ca) { return Quoted(ca.directory); }};
}

// A key of the CA's as a key of the first one.
Key<Config> OfFirst(const Key<CertificateAuthority>& key) {
  return {Cat("acme.", key.name), key.example, key.description,
          [=](const Value& value, Config& config) { key.read(value, config.acme); },
          [=](const Config& config) { return key.show(config.acme); }};
}

Key<Config> KeyTypeKey() {
  return {
      "certificate.key_type", "\"ec256\"", "ec256, ec384, rsa2048, rsa3072 or rsa4096",
      [](const Value& value, Config& config) {
        try {
          config.certificate.key_type = model::KeyTypeFromName(value.Text());
        } catch (const Error& error) {
          throw Problem{error.failure().detail};
        }
      },
      [](const Config& config) { return Quoted(model::KeyTypeName(config.certificate.key_type)); }};
}

Key<Config> ApiKey() {
  return {"traefik.api", "\"http://127.0.0.1:8080\"",
          "base URL of Traefik's API, to know when a change is live; https, or http on loopback",
          [](const Value& value, Config& config) {
            std::string url = value.Text();
            if (!url.empty()) {
              Checked(url, CheckUrl);
              if (IsHttp(url) && !IsLoopbackUrl(url)) {
                throw Problem{"is plain http to another machine; use https, or the loopback"};
              }
            }
            while (url.ends_with('/')) url.pop_back();
            config.traefik.api = url;
          },
          [](const Config& config) { return Quoted(config.traefik.api); }};
}

Key<ApiSocket> SocketPathKey() {
  auto key = PathKey<ApiSocket>(
      "path", [](auto& s) -> auto& { return s.path; }, false, "\"/run/certwright/certwright.sock\"",
      "where the socket is");
  key.read = [read = key.read](const Value& value, ApiSocket& socket) {
    read(value, socket);
    if (socket.path.string().size() > kSocketPathBytes) {
      throw Problem{
          Cat("is longer than the ", kSocketPathBytes, " bytes that a socket's path may have")};
    }
  };
  return key;
}

Key<ApiSocket> SocketModeKey() {
  return {"mode", "\"0660\"", "of the socket, in octal digits",
          [](const Value& value, ApiSocket& socket) {
            const std::string text = value.Text();
            try {
              socket.mode = ParseSocketMode(text);
            } catch (const Problem& problem) {
              throw Problem{Cat("\"", Printable(text, 20), "\" ", problem.text)};
            }
          },
          [](const ApiSocket& socket) { return ModeText(socket.mode); }};
}

}  // namespace

const std::vector<Key<CertificateAuthority>>& CaKeys() {
  using Ca = CertificateAuthority;
  static const std::vector<Key<Ca>> keys = {
      DirectoryKey(),
      TextKey<Ca>("email", CERTWRIGHT_FIELD(email), true, CheckEmail, "\"admin@example.org\"",
                  "the account's contact; may be empty"),
      FlagKey<Ca>("agree_to_terms", CERTWRIGHT_FIELD(agree_to_terms),
                  "that the CA's terms of service are agreed to; without it registration stops and "
                  "shows their URL"),
      PathKey<Ca>("ca_bundle", CERTWRIGHT_FIELD(ca_bundle), true, "\"/etc/certwright/ca.pem\"",
                  "PEM file of more roots to trust for the directory (a private or a test CA)"),
      TextKey<Ca>("profile", CERTWRIGHT_FIELD(profile), true, CheckWord, "\"shortlived\"",
                  "certificate profile; empty: the CA's default"),
      TextKey<Ca>("preferred_chain", CERTWRIGHT_FIELD(preferred_chain), true, nullptr,
                  "\"ISRG Root X1\"",
                  "common name of an issuer that the chain should have; empty: the CA's default"),
      TextKey<Ca>("eab_kid", CERTWRIGHT_FIELD(eab_kid), true, nullptr, "\"kid-1\"",
                  "key identifier of an external account binding"),
      PathKey<Ca>("eab_hmac_key_file", CERTWRIGHT_FIELD(eab_hmac_key_file), true,
                  "\"/etc/certwright/eab.key\"",
                  "file with the binding's MAC key, in base64url as the CA gave it"),
  };
  return keys;
}

namespace {

std::vector<Key<Config>> MakeConfigKeys() {
  std::vector<Key<Config>> keys = {
      PathKey<Config>("state_dir", CERTWRIGHT_FIELD(state_dir), false, "\"/var/lib/certwright\"",
                      "database, rendered certificate files, backups; mode 0700"),
      PathKey<Config>("runtime_dir", CERTWRIGHT_FIELD(runtime_dir), false, "\"/run/certwright\"",
                      "sockets and the lock"),
      ChoiceKey<Config>("log.level", CERTWRIGHT_FIELD(log_level),
                        {"info", "trace", "debug", "warning", "error", "off"},
                        "trace, debug, info, warning, error or off"),
      IntegerKey<Config>("node.id", CERTWRIGHT_FIELD(node_id), 1, 2147483647, "the node_id of events"),
      TextKey<Config>("node.module_id", CERTWRIGHT_FIELD(module_id), false, CheckWord,
                      "\"traefik1\"", "the module_id of events"),

  };
  for (const auto& key : CaKeys()) keys.push_back(OfFirst(key));
  const std::vector<Key<Config>> others = {
      FlagKey<Config>("acme.allow_http_loopback", CERTWRIGHT_FIELD(acme.allow_http_loopback),
              "plain http to a directory on this machine: tests only"),
      SecondsKey<Config>("acme.exchange_timeout", CERTWRIGHT_FIELD(acme.exchange_timeout), 1, 300,
                 "the time that one request to the CA may take"),

      KeyTypeKey(),
      FlagKey<Config>("certificate.reuse_key", CERTWRIGHT_FIELD(certificate.reuse_key),
              "keep the key at a renewal"),
      TextKey<Config>("http01.listen", CERTWRIGHT_FIELD(http01_listen), false, CheckListen,
                      "\"127.0.0.1:9180\"",
                      "where the challenge responder listens; \":80\" without Traefik"),

      PathKey<Config>(
          "traefik.dynamic_dir", CERTWRIGHT_FIELD(traefik.dynamic_dir), true,
          "\"/etc/traefik/dynamic\"",
          "the directory that Traefik's file provider watches; empty: Traefik is not used"),
      PathKey<Config>("traefik.certificate_dir", CERTWRIGHT_FIELD(traefik.certificate_dir), true,
                      "\"/var/lib/certwright/traefik\"",
                      "certificate and key files for Traefik; default: traefik below state_dir"),
      TextKey<Config>("traefik.group", CERTWRIGHT_FIELD(traefik.group), true, CheckWord,
                      "\"traefik\"",
                      "group that may read the key files, where Traefik runs as another user"),
      ApiKey(),
      TextKey<Config>("traefik.https_address", CERTWRIGHT_FIELD(traefik.https_address), true,
                      CheckAddress, "\"127.0.0.1:443\"",
                      "where to look at the certificate that is served; empty: asked from the API"),
      TextKey<Config>("traefik.http_entrypoint", CERTWRIGHT_FIELD(traefik.http_entrypoint), false,
                      CheckWord, "\"http\"", "Traefik's name of the entrypoint for port 80"),
      TextKey<Config>("traefik.https_entrypoint", CERTWRIGHT_FIELD(traefik.https_entrypoint), false,
                      CheckWord, "\"https\"", "Traefik's name of the entrypoint for port 443"),

      IntegerKey<Config>("fuse.orders_per_name_set", CERTWRIGHT_FIELD(fuse.orders_per_name_set), 1, 1000,
                 "no more orders than this for one exact set of names within the window"),
      SecondsKey<Config>("fuse.window", CERTWRIGHT_FIELD(fuse.window), 60, 365 * kDay,
                 "the window of the fuse"),
      PathKey<Config>("ledger.limits", CERTWRIGHT_FIELD(ledger_limits), true,
                      "\"/etc/certwright/ca-limits.toml\"",
                      "file with the rate limits of CAs, over those that are built in"),

      TextsKey<Config>("probe.resolver", CERTWRIGHT_FIELD(probe.resolver), CheckServer,
               "[\"192.0.2.53:53\"]",
               "DNS servers for looks from outside, IP:PORT; none: the system's"),
      IntegerKey<Config>("probe.http_port", CERTWRIGHT_FIELD(probe.http_port), 1, 65535,
                 "the port that the CA looks at for HTTP-01: another than 80 with a test CA only"),
      SecondsKey<Config>("probe.served_grace", CERTWRIGHT_FIELD(probe.served_grace), 1, kDay,
                 "so long after a change something else may be served before it is told"),
      SecondsKey<Config>("probe.served_every", CERTWRIGHT_FIELD(probe.served_every), 60, 7 * kDay,
                 "from one look at everything that is served to the next"),
      IntegerKey<Config>("renewal.side_by_side", CERTWRIGHT_FIELD(renewal.side_by_side), 1, 32,
                 "so many certificates are renewed at one CA side by side"),
      SecondsKey<Config>("renewal.check", CERTWRIGHT_FIELD(renewal.check), 1, 3600,
                 "so long at most nobody looks at the clock, which may have jumped"),
      SecondsKey<Config>("renewal.interval", CERTWRIGHT_FIELD(renewal.interval), 60, 3600,
                 "the least pause between two looks at one certificate"),

      ChoiceKey<Config>("upload.verify", CERTWRIGHT_FIELD(upload.verify),
                        {"chain", "selfsign", "none"},
                        "what an uploaded certificate must lead to: chain (a root that this machine "
                        "trusts), selfsign (a certificate in the upload that is signed by itself) or "
                        "none"),
      PathKey<Config>("upload.roots", CERTWRIGHT_FIELD(upload.roots), true,
                      "\"/etc/certwright/roots.pem\"",
                      "PEM file of more roots for upload.verify = \"chain\""),

      PathKey<Config>(
          "events.dir", CERTWRIGHT_FIELD(events_dir), false, "\"/etc/certwright/events\"",
          "handlers: executables in a folder with the name of a kind of event (certificate-changed, "
          "-failed, -expiring, -not-served, hosts-changed ...), or one executable of that name"),
      TextKey<Config>("metrics.listen", CERTWRIGHT_FIELD(metrics_listen), true, CheckLocalListen,
                      "\"127.0.0.1:9181\"",
                      "where GET /metrics answers, on loopback; empty: on the API's sockets only"),
      SecondsKey<Config>("events.timeout", CERTWRIGHT_FIELD(events_timeout), 1, 3600,
                 "the time that a handler may take"),
      IntegerKey<Config>("events.keep_count", CERTWRIGHT_FIELD(events_keep_count), 100, 1'000'000,
                 "so many events are kept to be read again; for a handler that has not had them, ten "
                 "times as many"),
      SecondsKey<Config>("events.keep_for", CERTWRIGHT_FIELD(events_keep_for), 3600, 3650 * kDay,
                 "no event is kept longer, but for a handler that has not had it"),
  };
  keys.insert(keys.end(), others.begin(), others.end());
  return keys;
}

}  // namespace

const std::vector<Key<Config>>& ConfigKeys() {
  static const std::vector<Key<Config>> keys = MakeConfigKeys();
  return keys;
}

const std::vector<Key<ApiSocket>>& SocketKeys() {
  static const std::vector<Key<ApiSocket>> keys = {
      SocketPathKey(),
      ChoiceKey<ApiSocket>(
          "role", CERTWRIGHT_FIELD(role), {"owner", "fulladm", "certadm", "routeadm", "reader"},
          "of everybody who may open the socket: owner, fulladm, certadm, routeadm "
          "or reader"),
      SocketModeKey(),
      TextKey<ApiSocket>("group", CERTWRIGHT_FIELD(group), true, CheckWord, "\"certwright\"",
                         "of the socket; empty: ours"),
      TextKey<ApiSocket>("caller", CERTWRIGHT_FIELD(caller), true, nullptr, "\"module/mail1\"",
                         "who is behind this socket, for requests that are remembered by module"),
  };
  return keys;
}

const std::vector<Key<Webhook>>& WebhookKeys() {
  static const std::vector<Key<Webhook>> keys = {
      TextKey<Webhook>("url", CERTWRIGHT_FIELD(url), false, CheckUrl,
                       "\"https://hooks.example.org/certwright\"",
                       "where events are sent to; https, or http to this machine"),
      TextsKey<Webhook>("kinds", CERTWRIGHT_FIELD(kinds), CheckKind, "[\"certificate-changed\"]",
                        "kinds of events that are sent; none: all"),
      PathKey<Webhook>("secret_file", CERTWRIGHT_FIELD(secret_file), true,
                       "\"/etc/certwright/webhook.secret\"",
                       "file with the secret that they are signed with: whsec_ and base64, or a text"),
      PathKey<Webhook>("ca_bundle", CERTWRIGHT_FIELD(ca_bundle), true,
                       "\"/etc/certwright/roots.pem\"", "PEM file of more roots to trust for it"),
      FlagKey<Webhook>("allow_private", CERTWRIGHT_FIELD(allow_private),
                       "that it may be at an address of this machine or of a private network"),
  };
  return keys;
}

std::string SocketsText(const Config& config) {
  return SectionsText(SocketKeys(), config.api_sockets);
}

std::string WebhooksText(const Config& config) {
  return SectionsText(WebhookKeys(), config.events_webhooks);
}

std::string FallbacksText(const Config& config) {
  return SectionsText(CaKeys(), config.acme.fallback);
}

}  // namespace certwright::config

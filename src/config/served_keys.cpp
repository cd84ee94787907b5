// The keys of one [[served]].
#include <algorithm>
#include <iterator>

#include "certwright/base/error.h"
#include "certwright/model/identifier.h"
#include "key_kinds.h"
#include "keys.h"

namespace certwright::config {
namespace {

void CheckHost(std::string_view text) {
  const bool good = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == ':' || c == '-' || c == '_';
  });
  if (!good) throw Problem{"is neither a host name nor an IP address (its port is another key)"};
}

Key<Served> PortKey() {
  return {"port", "25", "port of the endpoint; 0: the usual one, 443 without starttls",
          [](const Value& value, Served& served) {
            served.port = static_cast<int>(value.Integer(0, 65535));
          },
          [](const Served& served) { return std::to_string(served.port); }};
}

Key<Served> NameKey() {
  return {"name", "\"mail.example.org\"",
          "host name that is asked for, and whose certificate is to be shown; empty: host",
          [](const Value& value, Served& served) {
            const std::string text = value.Text();
            served.name.clear();
            if (text.empty()) return;
            try {
              served.name = model::ParseIdentifier(text).value;
            } catch (const Error& error) {
              throw Problem{error.failure().detail};
            }
          },
          [](const Served& served) { return Quoted(served.name); }};
}

}  // namespace

const std::vector<Key<Served>>& ServedKeys() {
  static const std::vector<Key<Served>> keys = {
      TextKey<Served>("host", CERTWRIGHT_FIELD(host), false, CheckHost, "\"mail.example.org\"",
                      "where somebody else serves a certificate that is held here"),
      PortKey(),
      NameKey(),
      ChoiceKey<Served>("starttls", CERTWRIGHT_FIELD(starttls),
                        {std::begin(kStartTls), std::end(kStartTls)},
                        "none (TLS at once), smtp, imap, pop3, ftp, ldap or postgres"),
  };
  return keys;
}

std::string ServedText(const Config& config) { return SectionsText(ServedKeys(), config.served); }

}  // namespace certwright::config

// Readers: from the files of another client to what was found in them. Pure; what is damaged is
// left out, each by itself, and the rest is read. No text that they make quotes a key.
#pragma once

#include "certwright/base/secret.h"
#include "certwright/migrate/directories.h"
#include "certwright/migrate/found.h"
#include "certwright/migrate/tree.h"

namespace certwright::migrate {

// acme.json of Traefik 2 or 3: {"RESOLVER": {"Account": ..., "Certificates": [...] or null}}. An
// empty text has nothing in it. Throws Error(kInput) where it is no such file at all.
Found ReadTraefikAcme(const Secret& text, const Directories& directories);

// certbot's configuration directory (/etc/letsencrypt): accounts/SERVER/PATH/ID/, live/NAME/,
// renewal/NAME.conf.
Found ReadCertbot(const Tree& tree);

// lego's directory (.lego): accounts/HOST/ID/ with keys/ID.key (lego to 4) or KEYTYPE/ID.key (5),
// certificates/NAME.{crt,key,json,issuer.crt}.
Found ReadLego(const Tree& tree, const Directories& directories);

// The state directory of NethServer 8's traefik module: acme/acme.json, configs/*.yml (routes),
// custom_certificates/NAME.{crt,key}, manual_flags/INSTANCE, traefik.yaml, environment.
Found ReadNs8Traefik(const Tree& tree, const Directories& directories);

}  // namespace certwright::migrate

-- What an administrator sets while the daemon runs: the CA in place of the configuration's, the proxies
-- that Traefik trusts, the names of the default certificate. Lists have one line an entry.
CREATE TABLE setting (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX name_request_fqdn ON name_request (fqdn);

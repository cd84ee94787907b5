-- Routes through Traefik. NULL: not given, so that the default holds and may change.
CREATE TABLE route (
  instance TEXT PRIMARY KEY NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  priority INTEGER,
  lets_encrypt INTEGER NOT NULL CHECK (lets_encrypt IN (0, 1)),
  http2https INTEGER NOT NULL CHECK (http2https IN (0, 1)),
  strip_prefix INTEGER CHECK (strip_prefix IN (0, 1)),
  slash_redirect INTEGER CHECK (slash_redirect IN (0, 1)),
  skip_cert_verify INTEGER NOT NULL CHECK (skip_cert_verify IN (0, 1)),
  user_created INTEGER NOT NULL CHECK (user_created IN (0, 1)),
  ip_allowlist TEXT NOT NULL,
  request_headers TEXT NOT NULL,
  response_headers TEXT NOT NULL,
  auth_address TEXT,
  auth_skip_tls_verify INTEGER NOT NULL CHECK (auth_skip_tls_verify IN (0, 1)),
  auth_response_headers TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX route_host ON route (host, lets_encrypt);

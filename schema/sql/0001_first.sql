-- The first schema. SQL that PostgreSQL speaks too, but for STRICT, AUTOINCREMENT (there: an identity
-- column) and INTEGER of 64 bits (there: BIGINT, which STRICT does not know). Ids are never used
-- twice: a record that somebody still holds in memory must not be saved over another one. Times are
-- epoch seconds UTC.

-- What is wanted: one row for each exact set of names.
CREATE TABLE certificate (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name_set TEXT NOT NULL UNIQUE,
  names TEXT NOT NULL,
  key_type TEXT NOT NULL CHECK (key_type IN ('ec256', 'ec384', 'rsa2048', 'rsa3072', 'rsa4096')),
  reuse_key INTEGER NOT NULL CHECK (reuse_key IN (0, 1)),
  profile TEXT NOT NULL,
  preferred_chain TEXT NOT NULL,
  owner TEXT NOT NULL,
  next_action_at INTEGER NOT NULL,
  last_error TEXT,
  last_error_at INTEGER NOT NULL,
  failures INTEGER NOT NULL CHECK (failures >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX certificate_due ON certificate (next_action_at, id) WHERE next_action_at > 0;

-- What exists. Without a certificate: the node's self-signed pair.
CREATE TABLE version (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  certificate_id INTEGER REFERENCES certificate (id) ON DELETE CASCADE,
  is_current INTEGER NOT NULL CHECK (is_current IN (0, 1)),
  chain_pem TEXT NOT NULL,
  key_pem TEXT NOT NULL,
  serial_hex TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  subject TEXT NOT NULL,
  issuer TEXT NOT NULL,
  names TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  ari_id TEXT NOT NULL,
  ca TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('acme', 'upload', 'selfsigned')),
  created_at INTEGER NOT NULL,
  CHECK (certificate_id IS NOT NULL OR origin = 'selfsigned')
) STRICT;

CREATE INDEX version_of_certificate ON version (certificate_id, id);
CREATE UNIQUE INDEX version_current ON version (certificate_id) WHERE is_current = 1;
CREATE INDEX version_serial ON version (serial_hex);

-- version.names once more, for the look-up by host; wildcards as they stand in the certificate.
CREATE TABLE version_name (
  name TEXT NOT NULL,
  version_id INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
  PRIMARY KEY (name, version_id)
) STRICT;

CREATE INDEX version_name_version ON version_name (version_id);

CREATE TABLE acme_order (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  certificate_id INTEGER NOT NULL REFERENCES certificate (id) ON DELETE CASCADE,
  directory TEXT NOT NULL,
  identifiers TEXT NOT NULL,
  profile TEXT NOT NULL,
  preferred_chain TEXT NOT NULL,
  replaces TEXT NOT NULL,
  key_pem TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('creating', 'pending', 'validating', 'ready', 'processing',
                                       'issued', 'done', 'failed')),
  url TEXT NOT NULL,
  finalize_url TEXT NOT NULL,
  certificate_url TEXT NOT NULL,
  authorizations TEXT NOT NULL,
  chain_pem TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  failure TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX acme_order_of_certificate ON acme_order (certificate_id, id);
CREATE INDEX acme_order_open ON acme_order (certificate_id, id)
  WHERE state NOT IN ('done', 'failed');

-- When orders were made, for the fuse: outlives the orders and the certificate, or deleting and
-- asking again would be a way around it.
CREATE TABLE order_ledger (
  name_set TEXT NOT NULL,
  order_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (name_set, created_at, order_id)
) STRICT;

CREATE TABLE account (
  directory TEXT PRIMARY KEY NOT NULL,
  key_pem TEXT NOT NULL,
  url TEXT NOT NULL,
  contact TEXT NOT NULL,
  status TEXT NOT NULL,
  terms TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- The outbox. certificate_id is no reference: the event of a deletion outlives the certificate.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('issued', 'renewed', 'uploaded', 'deleted', 'revoked')),
  names TEXT NOT NULL,
  certificate_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE feed_position (
  subscriber TEXT PRIMARY KEY NOT NULL,
  seq INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE name_request (
  owner TEXT PRIMARY KEY NOT NULL,
  fqdn TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

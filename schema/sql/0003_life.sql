-- The rest of a certificate's life: failing, expiring, being revoked, being counted by the CA.

-- Events of other kinds than a change: certificate-failed, certificate-expiring.
CREATE TABLE event_of_any_kind (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  names TEXT NOT NULL,
  certificate_id INTEGER NOT NULL,
  not_after INTEGER NOT NULL DEFAULT 0,
  failure TEXT,
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO event_of_any_kind (seq, name, reason, names, certificate_id, created_at)
  SELECT seq, name, reason, names, certificate_id, created_at FROM event;
DROP TABLE event;
ALTER TABLE event_of_any_kind RENAME TO event;

-- So many of the warnings that a version is about to expire were told.
ALTER TABLE version ADD COLUMN expiry_told INTEGER NOT NULL DEFAULT 0 CHECK (expiry_told >= 0);
-- RFC 5280 section 5.3.1, by name: written before the CA is asked, so that it is asked again.
ALTER TABLE version ADD COLUMN revocation_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE version ADD COLUMN revoked_at INTEGER NOT NULL DEFAULT 0;
-- Signed by the certificate's own key; and only once another version has taken its place.
ALTER TABLE version ADD COLUMN revoke_with_key INTEGER NOT NULL DEFAULT 0
  CHECK (revoke_with_key IN (0, 1));
ALTER TABLE version ADD COLUMN revoke_replaced INTEGER NOT NULL DEFAULT 0
  CHECK (revoke_replaced IN (0, 1));
CREATE INDEX version_to_revoke ON version (id) WHERE revocation_reason <> '' AND revoked_at = 0;

-- What was written at a time that is still to come was written by a clock that was wrong.
CREATE INDEX certificate_written ON certificate (updated_at);

-- Outlives the version and its certificate: a backup must not bring back what was revoked.
CREATE TABLE revoked (
  fingerprint TEXT PRIMARY KEY NOT NULL,
  reason TEXT NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;

-- What a look from outside said last, while a certificate fails: NULL: nobody looked, or it could not
-- be told.
ALTER TABLE certificate ADD COLUMN preflight_good INTEGER CHECK (preflight_good IN (0, 1));
ALTER TABLE certificate ADD COLUMN preflight_saw TEXT NOT NULL DEFAULT '';
ALTER TABLE certificate ADD COLUMN preflight_at INTEGER NOT NULL DEFAULT 0;

-- A person's --force, and authorizations that a failed order may have left pending at the CA.
ALTER TABLE acme_order ADD COLUMN forced INTEGER NOT NULL DEFAULT 0 CHECK (forced IN (0, 1));
ALTER TABLE acme_order ADD COLUMN leftover INTEGER NOT NULL DEFAULT 0 CHECK (leftover IN (0, 1));
-- Names of limits, divided by blanks, of which it took one.
ALTER TABLE acme_order ADD COLUMN counted TEXT NOT NULL DEFAULT '';
CREATE INDEX acme_order_leftover ON acme_order (id) WHERE leftover = 1;

-- RFC 8555 section 7.3.5: the key that the account is to have, stored before the CA hears of it.
ALTER TABLE account ADD COLUMN next_key_pem TEXT NOT NULL DEFAULT '';

-- How much of a CA's limits is used: the theoretical arrival time of the generic cell rate algorithm,
-- in milliseconds. A row whose time has come is as good as none.
CREATE TABLE ca_budget (
  ca TEXT NOT NULL,
  limit_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  arrival_ms INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (ca, limit_name, subject)
) STRICT;
CREATE INDEX ca_budget_arrival ON ca_budget (arrival_ms);

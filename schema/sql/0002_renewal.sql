-- ACME Renewal Information (RFC 9773): kept for one certID, never for a name.
CREATE TABLE renewal_info (
  ari_id TEXT PRIMARY KEY NOT NULL,
  version_id INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
  window_start INTEGER NOT NULL,
  window_end INTEGER NOT NULL,
  explanation_url TEXT NOT NULL,
  chosen_at INTEGER NOT NULL,
  check_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX renewal_info_version ON renewal_info (version_id);

-- What is kept in step on disk for other programs, what consumers say that they have loaded, and what
-- endpoints show.

-- made_of and content are digests: of what the files were made of, and of their bytes; '' where nothing
-- was written yet. reload_due is set before new files are in place, and taken back when reload has ended
-- with 0.
CREATE TABLE export (
  name TEXT PRIMARY KEY NOT NULL,
  made_of TEXT NOT NULL,
  content TEXT NOT NULL,
  written_at INTEGER NOT NULL,
  reload_due INTEGER NOT NULL CHECK (reload_due IN (0, 1)),
  reloaded_at INTEGER NOT NULL,
  failures INTEGER NOT NULL CHECK (failures >= 0),
  failure TEXT,
  failed_at INTEGER NOT NULL
) STRICT;

-- The version that a consumer has loaded for a host name.
CREATE TABLE acknowledgement (
  consumer TEXT NOT NULL,
  name TEXT NOT NULL,
  serial TEXT NOT NULL,
  acknowledged_at INTEGER NOT NULL,
  PRIMARY KEY (consumer, name)
) STRICT;
CREATE INDEX acknowledgement_name ON acknowledgement (name);

-- What a look at an endpoint found for a server name. `since` is when the state came; wrong_since when
-- looks began to show something else (0: they do not), which is a state only after a while.
CREATE TABLE served (
  endpoint TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('unknown', 'served', 'other', 'unreachable')),
  wanted TEXT NOT NULL,
  seen TEXT NOT NULL,
  problem TEXT NOT NULL,
  since INTEGER NOT NULL,
  wrong_since INTEGER NOT NULL,
  looked_at INTEGER NOT NULL,
  PRIMARY KEY (endpoint, name)
) STRICT;

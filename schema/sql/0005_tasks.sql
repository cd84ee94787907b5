-- Calls in the background, and who was given a key or denied something.

-- `data` and `result` are JSON and hold no private key: a task with `secret` had its whole input in
-- memory only.
CREATE TABLE task (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL,
  data TEXT NOT NULL,
  secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
  role TEXT NOT NULL,
  caller TEXT NOT NULL,
  upload_verify TEXT NOT NULL,
  parent TEXT NOT NULL,
  extra TEXT NOT NULL,
  status TEXT NOT NULL
    CHECK (status IN ('pending', 'running', 'completed', 'aborted', 'validation-failed')),
  progress INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 100),
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  exit_code INTEGER NOT NULL,
  result TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL
) STRICT;
CREATE INDEX task_open ON task (seq) WHERE ended_at = 0;
CREATE INDEX task_ended ON task (ended_at) WHERE ended_at > 0;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  role TEXT NOT NULL,
  caller TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('denied', 'released'))
) STRICT;
CREATE INDEX audit_at ON audit (at);
-- Append-only. Only what is 400 days older than the newest entry may go, by the entries' own times
-- (no statement reads the clock), and never the newest 100,000, for a clock may have jumped.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN OLD.at > (SELECT max(at) FROM audit) - 34560000
  OR OLD.seq > (SELECT max(seq) FROM audit) - 100000
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- What a subscriber of the feed is told of (kinds of events divided by blanks; '': all), and how its
-- next event fails: how often in a row (0: it does not), since when, until when it is left alone, and
-- in which words.
ALTER TABLE feed_position ADD COLUMN kinds TEXT NOT NULL DEFAULT '';
ALTER TABLE feed_position ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE feed_position ADD COLUMN failing_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed_position ADD COLUMN next_try INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed_position ADD COLUMN last_error TEXT NOT NULL DEFAULT '';

-- What monitoring asks often, without reading chains and keys.
CREATE INDEX version_expiry ON version (not_after, not_before, certificate_id) WHERE is_current = 1;
CREATE INDEX certificate_failing ON certificate (id) WHERE failures > 0;

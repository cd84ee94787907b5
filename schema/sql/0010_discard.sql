-- A route that gave it up said that it shall go, and it could not yet: it was being obtained, or a version
-- of it is to be revoked.
ALTER TABLE certificate ADD COLUMN discard INTEGER NOT NULL DEFAULT 0 CHECK (discard IN (0, 1));

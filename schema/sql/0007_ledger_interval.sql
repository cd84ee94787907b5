-- What arrival_ms was counted with: how long one takes to come back, in milliseconds. 0: not known.
ALTER TABLE ca_budget ADD COLUMN interval_ms INTEGER NOT NULL DEFAULT 0 CHECK (interval_ms >= 0);

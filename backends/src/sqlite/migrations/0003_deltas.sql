-- What the steps of an attempt took away, one row per step that was asked to keep it. kept is 1 once
-- the attempt's correction is settled; until then a row is a draft. No foreign key, as for
-- corrections.
CREATE TABLE deltas (
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    step INTEGER NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload INTEGER,
    -- The first MiB.
    delta BLOB NOT NULL,
    PRIMARY KEY (job_id, attempt, step)
) STRICT;

CREATE INDEX deltas_drafts ON deltas (created_at) WHERE kept = 0;

-- What is made of completed jobs on demand. One row for each job and kind; weight_bytes is what it takes of
-- the room for all, 0 until it is ready.
CREATE TABLE derivatives (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'ready', 'failed')),
    error TEXT,
    file TEXT,
    attempt INTEGER NOT NULL,
    spared INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    lease_worker TEXT,
    lease_until INTEGER,
    request_id TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    used_at INTEGER NOT NULL,
    weight_bytes INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX derivatives_by_kind ON derivatives (job_id, kind);
CREATE INDEX derivatives_waiting ON derivatives (owner, id) WHERE status = 'waiting';
CREATE INDEX derivatives_by_use ON derivatives (used_at) WHERE status = 'ready';
CREATE INDEX derivatives_failed ON derivatives (ended_at) WHERE status = 'failed';

-- Adding up would take longer the more there are, and every sweep asks.
CREATE TABLE derivatives_weight (bytes INTEGER NOT NULL) STRICT;
INSERT INTO derivatives_weight VALUES (0);

CREATE TRIGGER derivatives_weighed_in AFTER INSERT ON derivatives WHEN new.weight_bytes > 0 BEGIN
    UPDATE derivatives_weight SET bytes = bytes + new.weight_bytes;
END;

CREATE TRIGGER derivatives_weighed_again AFTER UPDATE OF weight_bytes ON derivatives
WHEN new.weight_bytes <> old.weight_bytes BEGIN
    UPDATE derivatives_weight SET bytes = bytes + new.weight_bytes - old.weight_bytes;
END;

CREATE TRIGGER derivatives_weighed_out AFTER DELETE ON derivatives WHEN old.weight_bytes > 0 BEGIN
    UPDATE derivatives_weight SET bytes = bytes - old.weight_bytes;
END;

-- Their bytes, as plugin_files. kept is 1 once the derivative is ready; until then a row is a draft. No
-- foreign key, as for corrections.
CREATE TABLE derivative_files (
    key TEXT PRIMARY KEY,
    kept INTEGER NOT NULL DEFAULT 0,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload INTEGER,
    -- The first MiB.
    file BLOB NOT NULL
) STRICT;

CREATE INDEX derivative_files_drafts ON derivative_files (created_at) WHERE kept = 0;

-- Links that open one job's correction to whoever has them.
CREATE TABLE shares (
    id TEXT PRIMARY KEY,
    token_sha256 BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    may_download INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX shares_by_owner ON shares (owner, id);
CREATE INDEX shares_by_job ON shares (job_id);

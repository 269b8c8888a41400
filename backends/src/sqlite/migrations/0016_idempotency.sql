-- Requests that came under a key, each with what it was answered. job is the job as it was then.
CREATE TABLE answered (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    job TEXT NOT NULL,
    event INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX answered_by_job ON answered (job_id);
CREATE INDEX answered_by_age ON answered (created_at);

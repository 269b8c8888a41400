-- Times are nanoseconds since 1970 in UTC. Ids are UUIDs as text; version 7 where order matters.
-- Blobs stand last in their rows: to reach a column behind one, SQLite walks all its pages.

CREATE TABLE owners (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_sha256 BLOB PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT;

-- A row without owner and user_email is a draft: its bytes are here, and nobody has accepted it yet.
CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    owner TEXT,
    user_email TEXT,
    file_name TEXT,
    content_type TEXT,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Where the bytes behind the first MiB are: see blob_chunks.
    upload INTEGER,
    -- The first MiB. NULL where the bytes are kept elsewhere.
    recording BLOB
) STRICT;

CREATE INDEX recordings_by_owner ON recordings (owner, id);
CREATE INDEX recordings_drafts ON recordings (created_at) WHERE owner IS NULL;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    chain TEXT NOT NULL,
    preset TEXT,
    format TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    progress REAL NOT NULL,
    step TEXT,
    attempt INTEGER NOT NULL,
    lease_worker TEXT,
    lease_until INTEGER,
    cancel_requested INTEGER NOT NULL,
    error TEXT,
    warnings TEXT NOT NULL,
    request_id TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    -- When its latest message was due, and how often one was written again because it seemed lost.
    message_at INTEGER NOT NULL,
    rewritten INTEGER NOT NULL DEFAULT 0,
    CHECK ((status = 'running') = (lease_until IS NOT NULL))
) STRICT;

CREATE INDEX jobs_by_recording ON jobs (recording_id, id);
CREATE INDEX jobs_running ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_queued ON jobs (message_at) WHERE status = 'queued';

CREATE TABLE attempts (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- The job's status when the attempt ended: queued is one that was given back or died.
    outcome TEXT,
    PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;

-- A row without content_type is a draft: an attempt stored its bytes and has not settled.
-- No foreign key: the bytes may arrive while the job is being deleted; the sweep removes such drafts.
CREATE TABLE corrections (
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    content_type TEXT,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload INTEGER,
    report TEXT,
    peaks TEXT,
    input_peaks TEXT,
    -- As recordings.recording.
    correction BLOB,
    PRIMARY KEY (job_id, attempt)
) STRICT;

CREATE INDEX corrections_drafts ON corrections (created_at) WHERE content_type IS NULL;

-- A blob on its way in, or on its way out (touched_at = 0).
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    touched_at INTEGER NOT NULL,
    head BLOB
) STRICT;

CREATE INDEX uploads_by_age ON uploads (touched_at);

-- What lies behind a blob's first MiB, in rows of 256 KiB. id = upload * 65536 + number: a long blob
-- in one row would have to be read from its beginning to reach its end.
CREATE TABLE blob_chunks (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    owner TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    body BLOB NOT NULL,
    written_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_by_job ON outbox (job_id, topic);

-- AUTOINCREMENT: an id is never given twice, also when the newest event is deleted.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    job TEXT NOT NULL
) STRICT;

CREATE INDEX events_by_owner ON events (owner, id);
CREATE INDEX events_by_job ON events (job_id, kind);

CREATE TABLE plugins (
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    manifest TEXT NOT NULL,
    installed_at INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;

-- The embedded queue. claim is the fencing number of whoever holds the message now.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    visible_at INTEGER NOT NULL,
    claim INTEGER NOT NULL DEFAULT 0,
    deliveries INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX messages_by_time ON messages (topic, visible_at, id);

-- Counting rows takes longer the more there are, and every publish asks.
CREATE TABLE message_counts (
    topic TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER messages_counted_in AFTER INSERT ON messages BEGIN
    INSERT INTO message_counts (topic, count) VALUES (new.topic, 1)
    ON CONFLICT (topic) DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER messages_counted_out AFTER DELETE ON messages BEGIN
    UPDATE message_counts SET count = count - 1 WHERE topic = old.topic;
END;

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    reason TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    buried_at INTEGER NOT NULL
) STRICT;

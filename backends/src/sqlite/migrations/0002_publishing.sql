-- Plugins that people publish: the catalogue with its history, what is on its way into it, the bytes.

ALTER TABLE plugins RENAME COLUMN installed_at TO published_at;
ALTER TABLE plugins ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plugins ADD COLUMN origin TEXT NOT NULL DEFAULT 'built_in'
    CHECK (origin IN ('built_in', 'published'));
ALTER TABLE plugins ADD COLUMN removed_at INTEGER;
-- What the conformance kit found, as JSON.
ALTER TABLE plugins ADD COLUMN check_report TEXT;

CREATE INDEX plugins_by_digest ON plugins (digest) WHERE removed_at IS NULL;

CREATE TABLE submissions (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('checking', 'published', 'refused')),
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    plugin_id TEXT,
    plugin_version TEXT,
    attempt INTEGER NOT NULL,
    lease_worker TEXT,
    lease_until INTEGER,
    error TEXT,
    check_report TEXT,
    request_id TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((status = 'checking') = (ended_at IS NULL))
) STRICT;

CREATE INDEX submissions_checking ON submissions (id) WHERE status = 'checking';
CREATE INDEX submissions_ended ON submissions (ended_at) WHERE ended_at IS NOT NULL;

-- A submission's bytes under 'submission/<id>', a plugin's under 'plugin/<digest>'. The sweep removes
-- those that no submission waits with and no plugin in use has.
CREATE TABLE plugin_files (
    key TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload INTEGER,
    -- As recordings.recording.
    file BLOB NOT NULL
) STRICT;

-- What lists of recordings are made of, in rows that are short: those of recordings hold their first MiB. owner
-- is whoever sees the recording, which of one in the trash is nobody. duration_ms is -1 until it is known.
CREATE TABLE entries (
    owner TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    name TEXT,
    folded_name TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]',
    version INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT -1,
    newest_job TEXT,
    newest_status TEXT,
    queued INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    notes TEXT,
    PRIMARY KEY (owner, recording_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_name ON entries (owner, folded_name, recording_id);
CREATE INDEX entries_by_duration ON entries (owner, duration_ms, recording_id);

INSERT INTO entries (owner, recording_id, created_at, folded_name, newest_job,
    queued, running, completed, failed, cancelled)
SELECT owner, id, created_at, lower(coalesce(file_name, '')),
    (SELECT max(id) FROM jobs WHERE recording_id = recordings.id),
    (SELECT count(*) FROM jobs WHERE recording_id = recordings.id AND status = 'queued'),
    (SELECT count(*) FROM jobs WHERE recording_id = recordings.id AND status = 'running'),
    (SELECT count(*) FROM jobs WHERE recording_id = recordings.id AND status = 'completed'),
    (SELECT count(*) FROM jobs WHERE recording_id = recordings.id AND status = 'failed'),
    (SELECT count(*) FROM jobs WHERE recording_id = recordings.id AND status = 'cancelled')
FROM recordings WHERE owner IS NOT NULL;

UPDATE entries SET newest_status = (SELECT status FROM jobs WHERE id = newest_job);

-- Counting would take longer the more jobs there are, and every list asks.
CREATE TRIGGER jobs_entered AFTER INSERT ON jobs BEGIN
    UPDATE entries SET
        newest_job = CASE WHEN newest_job > new.id THEN newest_job ELSE new.id END,
        newest_status = CASE WHEN newest_job > new.id THEN newest_status ELSE new.status END,
        queued = queued + (new.status = 'queued'),
        running = running + (new.status = 'running'),
        completed = completed + (new.status = 'completed'),
        failed = failed + (new.status = 'failed'),
        cancelled = cancelled + (new.status = 'cancelled')
    WHERE owner = new.owner AND recording_id = new.recording_id;
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs WHEN new.status <> old.status BEGIN
    UPDATE entries SET
        newest_status = CASE WHEN newest_job = new.id THEN new.status ELSE newest_status END,
        queued = queued + (new.status = 'queued') - (old.status = 'queued'),
        running = running + (new.status = 'running') - (old.status = 'running'),
        completed = completed + (new.status = 'completed') - (old.status = 'completed'),
        failed = failed + (new.status = 'failed') - (old.status = 'failed'),
        cancelled = cancelled + (new.status = 'cancelled') - (old.status = 'cancelled')
    WHERE owner = new.owner AND recording_id = new.recording_id;
END;

-- Only of one whose acceptance is taken back: those of a recording that goes have no entry any more.
CREATE TRIGGER jobs_left AFTER DELETE ON jobs BEGIN
    UPDATE entries SET
        newest_job = (SELECT max(id) FROM jobs WHERE recording_id = old.recording_id),
        newest_status = (SELECT status FROM jobs WHERE recording_id = old.recording_id
            ORDER BY id DESC LIMIT 1),
        queued = queued - (old.status = 'queued'),
        running = running - (old.status = 'running'),
        completed = completed - (old.status = 'completed'),
        failed = failed - (old.status = 'failed'),
        cancelled = cancelled - (old.status = 'cancelled')
    WHERE owner = old.owner AND recording_id = old.recording_id;
END;

-- Entries are what recordings are listed by now.
DROP INDEX recordings_by_owner;
CREATE INDEX jobs_by_owner ON jobs (owner, id);

-- What was deleted and can be restored: hidden is the owner whom nobody is, and who has its entry and its jobs
-- meanwhile.
CREATE TABLE trash (
    recording_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    hidden TEXT NOT NULL,
    restorable_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX trash_by_age ON trash (restorable_until);

-- An event may also be about a recording whose jobs are gone.
CREATE TABLE events_of_all (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    job_id TEXT REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    job TEXT,
    derivative TEXT,
    recording TEXT
) STRICT;

INSERT INTO events_of_all (id, owner, job_id, kind, job, derivative)
SELECT id, owner, job_id, kind, job, derivative FROM events;

-- No id is given twice, also where the newest events are gone.
DELETE FROM sqlite_sequence WHERE name = 'events_of_all';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'events_of_all', seq FROM sqlite_sequence WHERE name = 'events';

DROP TABLE events;
ALTER TABLE events_of_all RENAME TO events;
CREATE INDEX events_by_owner ON events (owner, id);
CREATE INDEX events_by_job ON events (job_id, kind);

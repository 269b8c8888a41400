-- Where the event log stood at some times, so that events can be forgotten by their age without a
-- time in every row. Of those with forgotten = 1, what lies up to the highest is gone.
CREATE TABLE event_marks (
    newest_event INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The time of everybody who shares this file: a machine's steady clock and this. seen is the highest
-- time written, below which no later machine begins.
CREATE TABLE clocks (
    machine TEXT PRIMARY KEY,
    offset_ns INTEGER NOT NULL,
    adjusted_at INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is due, in the order in which it became so.
CREATE INDEX outbox_due ON outbox (not_before, id);

-- What the queue has lost is seen by counting, not guessed from how often it seemed lost.
ALTER TABLE jobs DROP COLUMN rewritten;

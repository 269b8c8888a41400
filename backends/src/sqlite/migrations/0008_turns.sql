-- When an owner's job last began: whose turn is next is seen from here.
CREATE TABLE turns (
    owner TEXT PRIMARY KEY,
    served_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX turns_by_time ON turns (served_at);

-- The owners who wait and the oldest job of each, and how many jobs of one run, without a look at
-- the others.
CREATE INDEX jobs_waiting ON jobs (owner, message_at) WHERE status = 'queued';
CREATE INDEX jobs_of_running ON jobs (owner) WHERE status = 'running';

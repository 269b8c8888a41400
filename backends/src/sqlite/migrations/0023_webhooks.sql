-- Addresses that hear of their owners' events. events holds kinds, each between spaces.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    description TEXT NOT NULL,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER,
    created_at INTEGER NOT NULL,
    disabled_why TEXT,
    disabled_at INTEGER,
    delivered_at INTEGER,
    -- Deliveries that wait for it: counting them would take longer the more there are.
    waiting INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_by_owner ON webhooks (owner, id);
CREATE INDEX webhooks_by_waiting ON webhooks (waiting) WHERE disabled_at IS NULL;

-- What jobs' callback_urls are signed with.
CREATE TABLE callback_secrets (
    owner TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN callback_url TEXT;

-- One message on its way to one receiver: a webhook, or the callback_url of a job. event to recording are NULL in
-- a test. due_at is when it may be claimed: while it is being sent, when the lease of that ends. No foreign
-- key to jobs: what has happened is told, also where the job is deleted meanwhile.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    webhook_id TEXT REFERENCES webhooks (id) ON DELETE CASCADE,
    callback_job TEXT,
    callback_url TEXT,
    event INTEGER,
    kind TEXT,
    job TEXT,
    derivative TEXT,
    recording TEXT,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempt INTEGER NOT NULL,
    lease_worker TEXT,
    lease_until INTEGER,
    tries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((webhook_id IS NULL) = (callback_job IS NOT NULL)),
    CHECK ((status = 'waiting') = (ended_at IS NULL))
) STRICT;

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id) WHERE webhook_id IS NOT NULL;
CREATE INDEX webhook_deliveries_by_job ON webhook_deliveries (callback_job, id) WHERE callback_job IS NOT NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE status <> 'waiting';

CREATE TRIGGER webhook_deliveries_counted_in AFTER INSERT ON webhook_deliveries
WHEN new.webhook_id IS NOT NULL AND new.status = 'waiting' BEGIN
    UPDATE webhooks SET waiting = waiting + 1 WHERE id = new.webhook_id;
END;

CREATE TRIGGER webhook_deliveries_counted_again AFTER UPDATE OF status ON webhook_deliveries
WHEN new.webhook_id IS NOT NULL AND new.status <> old.status AND 'waiting' IN (new.status, old.status) BEGIN
    UPDATE webhooks SET waiting = waiting + iif(new.status = 'waiting', 1, -1) WHERE id = new.webhook_id;
END;

CREATE TRIGGER webhook_deliveries_counted_out AFTER DELETE ON webhook_deliveries
WHEN old.webhook_id IS NOT NULL AND old.status = 'waiting' BEGIN
    UPDATE webhooks SET waiting = waiting - 1 WHERE id = old.webhook_id;
END;

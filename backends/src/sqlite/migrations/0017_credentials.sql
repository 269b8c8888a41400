-- Sessions are listed and ended one by one, and say when they were last used.
ALTER TABLE sessions RENAME TO sessions_before;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token_sha256 BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sessions (id, token_sha256, owner, created_at, used_at)
    SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
               || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
           token_sha256, owner, created_at, created_at
    FROM sessions_before;
DROP TABLE sessions_before;
CREATE INDEX sessions_by_owner ON sessions (owner, created_at);

-- Whoever has one may open another session of that owner's, once.
CREATE TABLE session_codes (
    owner TEXT PRIMARY KEY,
    code_sha256 BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- scopes: their names, with a space between.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    secret_sha256 BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_open ON api_keys (created_at) WHERE revoked_at IS NULL;

-- Chains that an owner gave a name, every version.
CREATE TABLE presets (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    summary TEXT NOT NULL,
    chain TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (owner, name, version)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX presets_newest ON presets (owner, name) WHERE newest = 1;

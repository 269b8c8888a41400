-- What an owner has had done in a day since 1970: quotas go by it. Written where a recording becomes
-- somebody's and where a correction is kept.
CREATE TABLE usage (
    owner TEXT NOT NULL,
    day INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    audio_ms INTEGER NOT NULL,
    PRIMARY KEY (owner, day)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER usage_of_adopted AFTER UPDATE OF owner ON recordings
WHEN old.owner IS NULL AND new.owner IS NOT NULL BEGIN
    INSERT INTO usage (owner, day, bytes, audio_ms)
    VALUES (new.owner, new.created_at / 86400000000000, new.size_bytes, 0)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    DELETE FROM usage WHERE owner = new.owner AND day < new.created_at / 86400000000000 - 1;
END;

CREATE TRIGGER usage_of_accepted AFTER INSERT ON recordings WHEN new.owner IS NOT NULL BEGIN
    INSERT INTO usage (owner, day, bytes, audio_ms)
    VALUES (new.owner, new.created_at / 86400000000000, new.size_bytes, 0)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    DELETE FROM usage WHERE owner = new.owner AND day < new.created_at / 86400000000000 - 1;
END;

-- Every upload and every job asks for the whole catalogue: whoever has read it reads it again only after this has
-- changed.
CREATE TABLE catalogue_changes (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    count INTEGER NOT NULL
) STRICT;

INSERT INTO catalogue_changes (only, count) VALUES (1, 0);

CREATE TRIGGER plugins_inserted AFTER INSERT ON plugins BEGIN
    UPDATE catalogue_changes SET count = count + 1;
END;

CREATE TRIGGER plugins_updated AFTER UPDATE ON plugins BEGIN
    UPDATE catalogue_changes SET count = count + 1;
END;

CREATE TRIGGER plugins_deleted AFTER DELETE ON plugins BEGIN
    UPDATE catalogue_changes SET count = count + 1;
END;

-- How many of a job's attempts ended through no fault of its own.
ALTER TABLE jobs ADD COLUMN spared INTEGER NOT NULL DEFAULT 0;

-- How many of a job's attempts ended without a word.
ALTER TABLE jobs ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;

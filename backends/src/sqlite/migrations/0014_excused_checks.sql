-- Of a submission's attempts, those that ended through a worker's fault, and those without a word.
ALTER TABLE submissions ADD COLUMN spared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;

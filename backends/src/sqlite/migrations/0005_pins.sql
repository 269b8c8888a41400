-- What a job's steps run, by id, version and digest, settled when it was accepted: a JSON list in the
-- chain's order, with null for an external service. Empty where an earlier release accepted the job.
ALTER TABLE jobs ADD COLUMN pins TEXT NOT NULL DEFAULT '[]';

-- What an event is news of besides its job, as it was then.
ALTER TABLE events ADD COLUMN derivative TEXT;

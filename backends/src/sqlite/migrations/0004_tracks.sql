-- Which of a recording's audio tracks a job corrects, from 1; NULL leaves it to the file.
ALTER TABLE jobs ADD COLUMN track INTEGER;

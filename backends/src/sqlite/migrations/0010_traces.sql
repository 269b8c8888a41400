-- W3C Trace Context of the request that made the job.
ALTER TABLE jobs ADD COLUMN traceparent TEXT;

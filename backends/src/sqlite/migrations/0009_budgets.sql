-- What a published plugin's check has measured, where every job finds it.
ALTER TABLE plugins ADD COLUMN realtime_factor REAL;
UPDATE plugins
SET realtime_factor = CAST(json_extract(check_report, '$.cost.realtime_factor') AS REAL)
WHERE check_report IS NOT NULL;

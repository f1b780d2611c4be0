-- How much is new: rows in the cut, keys among them, keys whose newest is a delete.
SELECT
    count(*) AS rows_in,
    coalesce(sum(CASE WHEN p.newest = 1 THEN 1 ELSE 0 END), 0) AS keys,
    coalesce(sum(CASE WHEN p.newest = 1 AND p._op = 'd' THEN 1 ELSE 0 END), 0) AS deleted
FROM {placed} p
WHERE p.era IS NOT NULL;

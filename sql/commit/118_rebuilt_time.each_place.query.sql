-- And from the versions that stand, for events that raw has no more.
SELECT max(CAST(p.{event_time} AS bigint)) AS newest
FROM {place} p
WHERE p.{event_time} <= extract(epoch FROM p._committed_at) + 3600;

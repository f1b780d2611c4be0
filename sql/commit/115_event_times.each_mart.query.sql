-- The greatest event time that this cycle brings of an insert, an update or a snapshot, also of versions that lose, as
-- far as it is not later than its own commit plus an hour. The mart's T is the greatest of all cycles.
SELECT max(p._event_time) AS newest
FROM {placed} p
WHERE p.era IS NOT NULL AND p._op <> 'd' AND NOT ({p_key_is_null})
  AND p._event_time <= extract(epoch FROM p._committed_at) + 3600;

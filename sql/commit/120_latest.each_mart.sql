-- The newest version of each key that this cycle brings: its position, and what decides over its place. _gone_at is set when
-- that version is a delete: the delete's commit time. The source's columns are read later (275), for the winners only.
CREATE TEMP TABLE {latest} AS
SELECT
    {w_key}, w.era AS _era, w.number AS _number, w.tx_order AS _order, w._batch_id, w._event_time,
    CASE WHEN w._op = 'd' THEN w._committed_at END AS _gone_at
FROM {placed} w
WHERE w.newest = 1 AND w.era IS NOT NULL AND NOT ({w_key_is_null});

ANALYZE {latest} ({key});

-- The newest version of each key that this cycle brings, with all columns of the source, read from raw by batch and
-- offset. _gone_at is set when that version is a delete: the delete's commit time.
CREATE TEMP TABLE {latest} AS
SELECT
    {raw_columns},
    w.era AS _era, w.number AS _number, w.tx_order AS _order, w._batch_id, w._committed_at, w._event_time,
    CASE WHEN w._op = 'd' THEN w._committed_at END AS _gone_at
FROM {raw} r
JOIN {placed} w ON w._batch_id = r._batch_id AND w._partition = r._partition AND w._offset = r._offset
    AND w._generation = r._generation AND w._topic_id = r._topic_id
WHERE w.newest = 1 AND w.era IS NOT NULL AND NOT ({w_key_is_null})
  AND r._batch_id >= (SELECT min(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s)
  AND r._batch_id <= (SELECT max(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s);

ANALYZE {latest};

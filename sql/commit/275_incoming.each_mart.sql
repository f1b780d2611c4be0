-- The winners of this cycle with all columns of the source, read from raw by batch and offset, in the order of their keys.
CREATE TEMP TABLE {incoming} AS
SELECT
    {raw_columns},
    v._stands, v._s_era, v._s_number, v._s_order, v._s_batch_id, v._target,
    v._era, v._number, v._order, v._batch_id, w._committed_at, v._gone_at
FROM {raw} r
JOIN {placed} w ON w._batch_id = r._batch_id AND w._offset = r._offset
JOIN {verdict} v ON {v_is_w}
WHERE w.newest = 1 AND w.era IS NOT NULL AND v._wins AND v._target <> 'removed'
  AND r._batch_id >= (SELECT min(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s)
  AND r._batch_id <= (SELECT max(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s)
ORDER BY {v_key};

ANALYZE {incoming} ({key}, _stands, _target);

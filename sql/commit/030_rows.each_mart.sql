-- The raw rows not yet applied, as far as they are needed to find the cut: identity, transaction, key. The source's
-- other columns are read once, later, for the winners only. Bounds on the batch id let the engine skip older blocks.
CREATE TEMP TABLE {rows} AS
SELECT
    r._batch_id, r._topic_id, r._generation, r._partition, r._offset, r._op, r._tx_id, r._tx_order,
    split_part(r._gtid, ':', 1) AS uuid,
    CASE WHEN split_part(r._gtid, ':', 3) = '' THEN '' ELSE split_part(r._gtid, ':', 2) END AS tag,
    CASE WHEN r._snapshot = 'incremental' THEN r._gtid END AS gtid_set,
    r._gtid_number, r._snapshot, r._server_id, r._binlog_file, r._binlog_pos, r._committed_at, r._produced_at,
    CAST(r.{event_time} AS bigint) AS _event_time,
    {r_key}
FROM {raw} r
JOIN pending_batches p ON p.raw_table = %(raw_table)s AND p.batch_id = r._batch_id AND r._offset > p.through_offset
WHERE r._batch_id >= (SELECT min(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s)
  AND r._batch_id <= (SELECT max(batch_id) FROM pending_batches WHERE raw_table = %(raw_table)s);

ANALYZE {rows} ({key}, _tx_id, _batch_id);

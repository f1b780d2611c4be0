-- Each row not yet applied with its position (era, number, place in the transaction), era NULL when it is not in the
-- cut. newest = 1 marks the winner of each key: the later position, at equal positions the row written later.
-- May assume that the eras hold this cut. Rows of a first snapshot stand before everything of the next era, a row of an
-- incremental snapshot behind everything of the latest transaction in the GTID set that it was read at (read_places).
CREATE TEMP TABLE {placed} AS
SELECT
    x.*,
    row_number() OVER (
        PARTITION BY {x_key}, x.era IS NULL
        ORDER BY x.era DESC, x.number DESC, x.tx_order DESC, x._batch_id DESC, x._offset DESC
    ) AS newest
FROM (
    SELECT
        r._batch_id, r._topic_id, r._generation, r._partition, r._offset, r._op, r._snapshot, r._committed_at, r._produced_at,
        r._event_time,
        coalesce(e.era, i.era) AS era,
        CASE WHEN r._snapshot = 'incremental' THEN i.number WHEN e.source_uuid = '' THEN 0 ELSE r._gtid_number END AS number,
        CASE WHEN r._snapshot = 'incremental' THEN 9223372036854775807
             WHEN e.source_uuid = '' THEN 0 ELSE r._tx_order END AS tx_order,
        {r_key}
    FROM {rows} r
    LEFT JOIN settlement_ods.eras e ON
        (r._snapshot = 'false' AND e.source_uuid = r.uuid AND e.source_tag = r.tag
            AND r._gtid_number BETWEEN e.first_number AND e.last_number)
        OR (r._snapshot NOT IN ('false', 'incremental') AND e.source_uuid = ''
            AND e.snapshot_server_id = r._server_id AND e.snapshot_file = r._binlog_file
            AND e.snapshot_pos = r._binlog_pos)
    LEFT JOIN read_places i ON r._snapshot = 'incremental' AND i.gtid_set = r.gtid_set
) x;

ANALYZE {placed} ({key}, _batch_id, newest);

-- The first-snapshot attempts whose rows wait in raw: an attempt is its rows' (server id, binlog file, position).
-- Debezium dates such rows to the second, so Kafka's record time tells which attempt began when.
SELECT
    _server_id AS server_id, _binlog_file AS file, _binlog_pos AS pos, count(*) AS keys,
    max(last_written) AS last_written, max(last_read) AS last_read
FROM (
    SELECT r._server_id, r._binlog_file, r._binlog_pos, max(r._produced_at) AS last_written, max(r._committed_at) AS last_read
    FROM {rows} r
    WHERE r._snapshot NOT IN ('false', 'incremental')
      AND NOT EXISTS (
          SELECT 1 FROM settlement_ods.eras e
          WHERE e.source_uuid = '' AND e.snapshot_server_id = r._server_id
            AND e.snapshot_file = r._binlog_file AND e.snapshot_pos = r._binlog_pos)
    GROUP BY r._server_id, r._binlog_file, r._binlog_pos, {r_key}
) x
GROUP BY _server_id, _binlog_file, _binlog_pos;

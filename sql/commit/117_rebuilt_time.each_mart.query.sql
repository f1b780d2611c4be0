-- Run when places are rebuilt: T anew from the events that raw still holds and that earlier cycles applied, also of a batch
-- that is cut, each in its last reading (a row read again replaces the one at its position).
SELECT max(x._event_time) AS newest
FROM (
    SELECT
        CAST(r.{event_time} AS bigint) AS _event_time, r._op, r._committed_at,
        row_number() OVER (
            PARTITION BY {r_key}, coalesce(r._tx_id, r._gtid, r._binlog_file), r._tx_order
            ORDER BY r._batch_id DESC, r._offset DESC) AS reading
    FROM {raw} r
    JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = r._batch_id
        AND r._offset <= a.through_offset
    WHERE NOT ({r_key_is_null})
) x
WHERE x.reading = 1 AND x._op <> 'd' AND x._event_time <= extract(epoch FROM x._committed_at) + 3600;

-- And in each history table: a row that comes back is found in whichever it stands, not only in the newest.
INSERT INTO {standing}
SELECT
    {h_key}, %(place)s, h._era, h._number, h._order, h._batch_id,
    CAST(h.{event_time} AS bigint), coalesce(h._deleted_at, h._source_deleted)
FROM {candidates} c
JOIN {history} h ON {h_is_c};

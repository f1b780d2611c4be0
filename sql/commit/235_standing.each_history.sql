-- And in each history table: a row that comes back is found in whichever it stands, not only in the newest.
-- A key outside the table's least and greatest is not looked up: mostly newer orders; none where the table is empty.
INSERT INTO {standing}
SELECT
    {h_key}, %(place)s, h._era, h._number, h._order, h._batch_id,
    CAST(h.{event_time} AS bigint), coalesce(h._deleted_at, h._source_deleted)
FROM {candidates} c
JOIN {history} h ON {h_is_c}
WHERE {c_first_key} >= (SELECT {x_first_key} FROM {history} x ORDER BY {x_first_key} LIMIT 1)
  AND {c_first_key} <= (SELECT {x_first_key} FROM {history} x ORDER BY {x_first_key} DESC LIMIT 1);

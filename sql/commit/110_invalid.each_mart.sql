-- A row whose key has a NULL stays in raw, is in no mart, and is named here once, by partition and offset: also when a topic
-- made again has such a row at the same place. Read again with a key it is no such row any more.
INSERT INTO settlement_ods.order_tracking_exceptions
    (exception_id, table_name, row_key, order_id, exception_type, detected_at, notes)
SELECT
    (SELECT coalesce(max(exception_id), 0) FROM settlement_ods.order_tracking_exceptions)
        + row_number() OVER (ORDER BY i._partition, i._offset),
    %(source)s, CAST(i._partition AS varchar) || '/' || CAST(i._offset AS varchar), NULL, 'INVALID_ROW', %(now)s,
    'a key column is NULL; the row is in ' || %(raw_table)s || ' and in no mart'
FROM (
    SELECT DISTINCT p._partition, p._offset
    FROM {placed} p
    WHERE p.era IS NOT NULL AND ({p_key_is_null})
      AND NOT EXISTS (
          SELECT 1 FROM {placed} q
          WHERE q._topic_id = p._topic_id AND q._partition = p._partition AND q._offset = p._offset
            AND q._generation > p._generation)
) i
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.order_tracking_exceptions x
    WHERE x.table_name = %(source)s AND x.exception_type = 'INVALID_ROW' AND x.resolved_at IS NULL
      AND x.row_key = CAST(i._partition AS varchar) || '/' || CAST(i._offset AS varchar));

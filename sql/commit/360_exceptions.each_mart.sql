-- A cause that is gone resolves its exception.
UPDATE settlement_ods.order_tracking_exceptions x
SET resolved_at = %(now)s, resolution_notes = 'its cause is gone (cycle ' || CAST(%(cycle)s AS varchar) || ')'
FROM {verdict} v
WHERE x.table_name = %(source)s AND x.row_key = {v_row_key} AND x.resolved_at IS NULL
  AND ((x.exception_type = %(gap_exception)s AND NOT v._gap)
    OR (x.exception_type = 'FUTURE_TIMESTAMP' AND NOT v._future));

-- A row that could not be placed is named, once while it is open.
INSERT INTO settlement_ods.order_tracking_exceptions
    (exception_id, table_name, row_key, order_id, exception_type, detected_at, notes)
SELECT
    (SELECT coalesce(max(exception_id), 0) FROM settlement_ods.order_tracking_exceptions) + row_number() OVER (ORDER BY {v_key}),
    %(source)s, {v_row_key}, {v_order_id},
    CASE WHEN v._gap THEN %(gap_exception)s ELSE 'FUTURE_TIMESTAMP' END, %(now)s,
    CASE WHEN v._gap AND v._event_time IS NULL THEN 'due to leave ' || %(mart_name)s || ', but its event time is NULL'
         WHEN v._gap THEN 'due to leave ' || %(mart_name)s || ', but no history table holds its event time ' || CAST(v._event_time AS varchar)
         ELSE 'its event time ' || CAST(v._event_time AS varchar) || ' lies more than an hour after the cut' END
FROM {verdict} v
WHERE (v._gap OR v._future)
  AND NOT EXISTS (
      SELECT 1 FROM settlement_ods.order_tracking_exceptions x
      WHERE x.table_name = %(source)s AND x.row_key = {v_row_key} AND x.resolved_at IS NULL
        AND x.exception_type = CASE WHEN v._gap THEN %(gap_exception)s ELSE 'FUTURE_TIMESTAMP' END);

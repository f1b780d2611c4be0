-- What is older and lies in another half-year is noted, once.
INSERT INTO settlement_ods.order_tracking_exceptions
    (exception_id, table_name, row_key, order_id, exception_type, detected_at, notes)
SELECT 0, 'mart_tracking', CAST(m.order_id AS varchar), m.order_id, 'ARCHIVE_ROUTING_GAP', now(), ''
FROM settlement_ods.mart_tracking m
WHERE m.update_time < (SELECT max(update_time) - 15552000 FROM settlement_ods.mart_tracking)
  AND (m.update_time < 1704067200 OR m.update_time >= 1719792000)
  AND NOT EXISTS (
      SELECT 1 FROM settlement_ods.order_tracking_exceptions e
      WHERE e.order_id = m.order_id AND e.exception_type = 'ARCHIVE_ROUTING_GAP');

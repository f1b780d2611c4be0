-- A hole is named while it is one: once, and again when somebody resolved the exception by hand.
INSERT INTO settlement_ods.order_tracking_exceptions
    (exception_id, table_name, row_key, order_id, exception_type, detected_at, notes)
SELECT
    (SELECT coalesce(max(exception_id), 0) FROM settlement_ods.order_tracking_exceptions)
        + row_number() OVER (ORDER BY h.cycle, h.table_name, h.kafka_partition, h.kafka_offset),
    h.table_name, h.topic || '/' || CAST(h.kafka_partition AS varchar) || '/' || CAST(h.kafka_offset AS varchar), NULL,
    'INVALID_ROW', %(now)s, 'a row of transaction ' || h.tx_id || ' is a dead letter; the cut went on without it'
FROM settlement_ods.holes h
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.mended_holes m
    WHERE m.topic = h.topic AND m.topic_id = h.topic_id AND m.kafka_partition = h.kafka_partition
      AND m.kafka_offset = h.kafka_offset)
  AND NOT EXISTS (
      SELECT 1 FROM settlement_ods.order_tracking_exceptions x
      WHERE x.table_name = h.table_name AND x.exception_type = 'INVALID_ROW' AND x.resolved_at IS NULL
        AND x.row_key = h.topic || '/' || CAST(h.kafka_partition AS varchar) || '/' || CAST(h.kafka_offset AS varchar));

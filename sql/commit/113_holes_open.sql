-- A hole is named while it is one: once, and again when somebody resolved the exception by hand. Holes at one place of a topic
-- and of the one made again have one key, so one exception, which names one of their transactions.
INSERT INTO settlement_ods.order_tracking_exceptions
    (exception_id, table_name, row_key, order_id, exception_type, detected_at, notes)
SELECT
    (SELECT coalesce(max(exception_id), 0) FROM settlement_ods.order_tracking_exceptions)
        + row_number() OVER (ORDER BY o.table_name, o.row_key),
    o.table_name, o.row_key, NULL, 'INVALID_ROW', %(now)s,
    'a row of transaction ' || o.tx_id || ' is a dead letter; the cut went on without it'
FROM (
    SELECT
        h.table_name, h.topic || '/' || CAST(h.kafka_partition AS varchar) || '/' || CAST(h.kafka_offset AS varchar) AS row_key,
        min(h.tx_id) AS tx_id
    FROM settlement_ods.holes h
    WHERE NOT EXISTS (
        SELECT 1 FROM settlement_ods.mended_holes m
        WHERE m.topic = h.topic AND m.topic_id = h.topic_id AND m.kafka_partition = h.kafka_partition
          AND m.kafka_offset = h.kafka_offset)
    GROUP BY h.table_name, h.topic, h.kafka_partition, h.kafka_offset
) o
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.order_tracking_exceptions x
    WHERE x.table_name = o.table_name AND x.exception_type = 'INVALID_ROW' AND x.resolved_at IS NULL
      AND x.row_key = o.row_key);

-- The exception of a hole ends when its letter was redriven or dropped.
UPDATE settlement_ods.order_tracking_exceptions x
SET resolved_at = %(now)s, resolution_notes = 'the dead letter was ' || d.decision
FROM settlement_ods.holes h
JOIN settlement_public.dead_letter_decisions d ON d.topic = h.topic AND d.topic_id = h.topic_id
    AND d.kafka_partition = h.kafka_partition AND d.kafka_offset = h.kafka_offset AND d.decision IN ('redriven', 'dropped')
WHERE x.table_name = h.table_name AND x.exception_type = 'INVALID_ROW' AND x.resolved_at IS NULL
  AND x.row_key = h.topic || '/' || CAST(h.kafka_partition AS varchar) || '/' || CAST(h.kafka_offset AS varchar);

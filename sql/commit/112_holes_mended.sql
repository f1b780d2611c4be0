-- A hole whose letter a person redrove or dropped is none any more.
INSERT INTO settlement_ods.mended_holes (topic, topic_id, kafka_partition, kafka_offset, why, cycle)
SELECT h.topic, h.topic_id, h.kafka_partition, h.kafka_offset, 'its dead letter was ' || min(d.decision), %(cycle)s
FROM settlement_ods.holes h
JOIN settlement_public.dead_letter_decisions d ON d.topic = h.topic AND d.topic_id = h.topic_id
    AND d.kafka_partition = h.kafka_partition AND d.kafka_offset = h.kafka_offset AND d.decision IN ('redriven', 'dropped')
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.mended_holes m
    WHERE m.topic = h.topic AND m.topic_id = h.topic_id AND m.kafka_partition = h.kafka_partition
      AND m.kafka_offset = h.kafka_offset)
GROUP BY h.topic, h.topic_id, h.kafka_partition, h.kafka_offset;

-- Its exception ends with it. Holes at one place of a topic and of the one made again have one exception, which ends when all
-- of them are mended.
UPDATE settlement_ods.order_tracking_exceptions x
SET resolved_at = %(now)s, resolution_notes = e.why
FROM (
    SELECT
        h.table_name, h.topic || '/' || CAST(h.kafka_partition AS varchar) || '/' || CAST(h.kafka_offset AS varchar) AS row_key,
        max(m.why) AS why
    FROM settlement_ods.holes h
    LEFT JOIN settlement_ods.mended_holes m ON m.topic = h.topic AND m.topic_id = h.topic_id
        AND m.kafka_partition = h.kafka_partition AND m.kafka_offset = h.kafka_offset
    GROUP BY h.table_name, h.topic, h.kafka_partition, h.kafka_offset
    HAVING count(m.why) = count(*)
) e
WHERE x.table_name = e.table_name AND x.exception_type = 'INVALID_ROW' AND x.resolved_at IS NULL AND x.row_key = e.row_key;

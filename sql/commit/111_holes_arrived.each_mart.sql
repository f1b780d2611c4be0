-- A hole whose row is in raw is none any more: its letter was redriven, or its window was read again by a decoder that can.
INSERT INTO settlement_ods.mended_holes (topic, topic_id, kafka_partition, kafka_offset, why, cycle)
SELECT h.topic, h.topic_id, h.kafka_partition, h.kafka_offset, 'its row came to raw', %(cycle)s
FROM settlement_ods.holes h
WHERE h.table_name = %(source)s
  AND EXISTS (
      SELECT 1 FROM {placed} p
      WHERE p._topic_id = h.topic_id AND p._partition = h.kafka_partition AND p._offset = h.kafka_offset)
  AND NOT EXISTS (
      SELECT 1 FROM settlement_ods.mended_holes m
      WHERE m.topic = h.topic AND m.topic_id = h.topic_id AND m.kafka_partition = h.kafka_partition
        AND m.kafka_offset = h.kafka_offset);

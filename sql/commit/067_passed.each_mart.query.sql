-- For what the partitions of this table were watched, where each ended then, and whether raw is loaded past that.
SELECT w.purpose, w.kafka_partition, w.stable_offset, coalesce(p.next_offset, 0) AS next_offset
FROM settlement_ods.watched_ends w
LEFT JOIN (
    SELECT kafka_partition, max(next_offset) AS next_offset FROM {positions} GROUP BY kafka_partition
) p ON p.kafka_partition = w.kafka_partition
WHERE w.table_name = %(source)s
ORDER BY w.purpose, w.kafka_partition;

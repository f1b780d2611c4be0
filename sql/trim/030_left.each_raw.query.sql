-- The same of batches that the mark has passed over: they are trimmed as soon as they may be.
SELECT
    l.batch_id, l.row_count, l.loaded_at,
    (NOT %(has_mart)s OR coalesce(a.complete, false)) AS applied,
    (l.dead_letters > 0 AND l.dead_letters > (
        SELECT count(DISTINCT d.kafka_offset) FROM settlement_public.dead_letter_decisions d
        WHERE d.topic = l.topic AND d.topic_id = l.topic_id AND d.kafka_partition = l.kafka_partition
          AND d.kafka_offset >= l.first_offset AND d.kafka_offset < l.next_offset
          AND d.decision IN ('redriven', 'dropped'))) AS undecided
FROM settlement_public.raw_left x
JOIN {ledger} l ON l.batch_id = x.batch_id
LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = l.batch_id
WHERE x.raw_table = %(raw_table)s AND x.why = 'not trimmed'
ORDER BY l.loaded_at, l.batch_id;

-- The next batches that are old enough, in the order of their loads. applied: all of it is in the marts (where the table
-- has one). undecided: messages in its span were set aside and nobody has decided on them; whether a letter's row came
-- after all is read from raw, so such a batch stays whole. Reads the ledger between two marks, by its index.
SELECT
    l.batch_id, l.row_count, l.loaded_at,
    (NOT %(has_mart)s OR coalesce(a.complete, false)) AS applied,
    (l.dead_letters > 0 AND l.dead_letters > (
        SELECT count(DISTINCT d.kafka_offset) FROM settlement_public.dead_letter_decisions d
        WHERE d.topic = l.topic AND d.topic_id = l.topic_id AND d.kafka_partition = l.kafka_partition
          AND d.kafka_offset >= l.first_offset AND d.kafka_offset < l.next_offset
          AND d.decision IN ('redriven', 'dropped'))) AS undecided
FROM {ledger} l
LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = l.batch_id
WHERE l.loaded_at >= %(trimmed_before)s AND l.loaded_at < %(keep_from)s
ORDER BY l.loaded_at, l.batch_id
LIMIT %(most)s;

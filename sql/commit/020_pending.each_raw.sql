-- The batches of one raw table that are not wholly in the marts yet, each with the offset up to which it is.
-- Reads the ledger and what earlier cycles applied. A batch brought late by a reset or a redrive is pending like any other.
INSERT INTO pending_batches (raw_table, batch_id, through_offset, last_offset)
SELECT %(raw_table)s, l.batch_id, coalesce(a.through_offset, l.first_offset - 1), l.next_offset - 1
FROM {ledger} l
LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = l.batch_id
WHERE a.batch_id IS NULL OR NOT a.complete;

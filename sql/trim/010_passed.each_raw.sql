-- Moves the mark below which a cycle need not read the ledger. First, what was left before and is applied now.
DELETE FROM settlement_public.raw_left x
USING settlement_ods.applied_batches a
WHERE x.raw_table = %(raw_table)s AND x.why = 'not applied'
  AND a.raw_table = %(raw_table)s AND a.batch_id = x.batch_id AND a.complete;

-- Then what the mark passes over now: kept by number, so that the next cycles find it.
INSERT INTO settlement_public.raw_left (raw_table, batch_id, why)
SELECT %(raw_table)s, l.batch_id, 'not applied'
FROM {ledger} l
LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = l.batch_id
WHERE l.loaded_at >= %(applied_before)s AND l.loaded_at < %(apply_mark)s AND (a.batch_id IS NULL OR NOT a.complete);

UPDATE settlement_public.raw_marks SET applied_before = %(apply_mark)s WHERE raw_table = %(raw_table)s;

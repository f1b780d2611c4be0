-- The batches of one raw table that are not wholly in the marts yet, each with the offset up to which it is.
-- Reads what earlier cycles applied, and of the ledger, which only grows, what was loaded since the mark of ddl/018: older
-- batches are applied, those of raw_left aside. A batch brought late by a reset or a redrive has a late load time, so it is
-- pending like any other.
INSERT INTO pending_batches (raw_table, batch_id, through_offset, last_offset)
SELECT %(raw_table)s, l.batch_id, coalesce(a.through_offset, l.first_offset - 1), l.next_offset - 1
FROM (
    SELECT n.batch_id, n.first_offset, n.next_offset
    FROM {ledger} n
    WHERE n.loaded_at >= %(applied_before)s
    UNION ALL
    SELECT o.batch_id, o.first_offset, o.next_offset
    FROM settlement_public.raw_left x
    JOIN {ledger} o ON o.batch_id = x.batch_id
    WHERE x.raw_table = %(raw_table)s AND x.why = 'not applied'
) l
LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = %(raw_table)s AND a.batch_id = l.batch_id
WHERE a.batch_id IS NULL OR NOT a.complete;

-- Keeps what of raw is now in the marts: a batch wholly, or up to the first row that is not in the cut. Rows of a
-- first snapshot that was broken off (written before the counting attempt began) are void and hold nothing back.
DELETE FROM settlement_ods.applied_batches
WHERE raw_table = %(raw_table)s AND batch_id IN (SELECT batch_id FROM pending_batches WHERE raw_table = %(raw_table)s);

INSERT INTO settlement_ods.applied_batches (raw_table, batch_id, through_offset, complete, cycle)
SELECT %(raw_table)s, p.batch_id, coalesce(min(o._offset) - 1, p.last_offset), min(o._offset) IS NULL, %(cycle)s
FROM pending_batches p
LEFT JOIN {placed} o ON o._batch_id = p.batch_id AND o.era IS NULL
    AND NOT (o._snapshot NOT IN ('false', 'incremental') AND o._produced_at < %(void_before)s)
WHERE p.raw_table = %(raw_table)s
GROUP BY p.batch_id, p.last_offset;

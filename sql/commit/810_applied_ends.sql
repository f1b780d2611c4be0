-- The same for the END records: applied up to the first whose transaction no era holds.
DELETE FROM settlement_ods.applied_batches
WHERE raw_table = 'transaction_raw'
  AND batch_id IN (SELECT batch_id FROM pending_batches WHERE raw_table = 'transaction_raw');

INSERT INTO settlement_ods.applied_batches (raw_table, batch_id, through_offset, complete, cycle)
SELECT 'transaction_raw', p.batch_id, coalesce(min(o._offset) - 1, p.last_offset), min(o._offset) IS NULL, %(cycle)s
FROM pending_batches p
LEFT JOIN (
    SELECT t._batch_id, t._offset
    FROM settlement_public.transaction_raw t
    JOIN ends e ON e.tx_id = t.tx_id
    WHERE NOT EXISTS (SELECT 1 FROM cut c WHERE c.tx_id = t.tx_id)
      AND t._batch_id >= (SELECT min(batch_id) FROM pending_batches WHERE raw_table = 'transaction_raw')
) o ON o._batch_id = p.batch_id
WHERE p.raw_table = 'transaction_raw'
GROUP BY p.batch_id, p.last_offset;

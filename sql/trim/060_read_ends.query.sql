-- Batches of END records that stay, however old: the newest, and the last one before each moment at which a table began
-- to be read again, as long as a cycle may ask what that read stands behind (094_read_began).
SELECT max(l.batch_id) AS batch_id
FROM settlement_public.transaction_raw_ledger l
WHERE l.row_count > 0
UNION
SELECT (
    SELECT t._batch_id FROM settlement_public.transaction_raw t
    WHERE t._produced_at < n._produced_at
    ORDER BY t._produced_at DESC, t._offset DESC
    LIMIT 1)
FROM settlement_public.notification_raw n
WHERE n.aggregate_type = 'Incremental Snapshot' AND n.notification_type = 'STARTED' AND n._produced_at NOT IN %(handled)s;

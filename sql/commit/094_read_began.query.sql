-- The last transaction whose END was written before a moment: a read that began then saw all of it.
SELECT tx_id FROM settlement_public.transaction_raw
WHERE _produced_at < %(began_at)s
ORDER BY _produced_at DESC, _offset DESC
LIMIT 1;

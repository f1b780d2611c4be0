-- A table that is taken back: transactions in the cut of which not all of its rows have arrived. No rows is right; else
-- there is no new cut.
SELECT o.tx_id, o.collection_count AS expected, coalesce(a.arrived, 0) AS arrived
FROM settlement_ods.owed_rows o
LEFT JOIN arrivals a ON a.data_collection = o.table_name AND a.tx_id = o.tx_id
WHERE o.table_name = %(source)s AND coalesce(a.arrived, 0) <> o.collection_count
ORDER BY o.cycle, o.tx_id
LIMIT 20;

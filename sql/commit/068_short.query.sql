-- The transactions that hold the cut, in their order: how many rows each table still lacks, dead letters that fill a hole not
-- counted. May assume that end_counts and arrivals are complete.
SELECT c.tx_id, c.data_collection, c.collection_count - coalesce(a.arrived, 0) - coalesce(h.letters, 0) AS missing
FROM end_counts c
LEFT JOIN arrivals a ON a.tx_id = c.tx_id AND a.data_collection = c.data_collection
LEFT JOIN (
    SELECT tx_id, table_name, count(*) AS letters FROM settlement_ods.holes GROUP BY tx_id, table_name
) h ON h.tx_id = c.tx_id AND h.table_name = c.data_collection
WHERE c.collection_count - coalesce(a.arrived, 0) - coalesce(h.letters, 0) > 0
ORDER BY c.place, c.data_collection
LIMIT 200;

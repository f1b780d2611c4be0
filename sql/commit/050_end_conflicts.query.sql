-- A second END of an id with other counts for a table that has a mart: the cycle stops. No rows is right. The first one
-- agrees with itself.
SELECT o.tx_id, o._offset AS other_offset, o.data_collection, f.collection_count AS first_count, o.collection_count AS other_count
FROM all_end_counts o
LEFT JOIN end_counts f ON f.tx_id = o.tx_id AND f.data_collection = o.data_collection
WHERE f.collection_count IS NULL OR f.collection_count <> o.collection_count
ORDER BY o.own_place
LIMIT 20;

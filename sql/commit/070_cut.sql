-- The cut: the longest run of arrived transactions, ended early by --until. May assume that ends, end_counts and
-- arrivals are complete. `waiting` keeps what is missing, so that the summary can name it.
-- Dead letters that fill a hole stand for the rows that they are.
CREATE TEMP TABLE waiting AS
SELECT c.tx_id, c.place, c.data_collection, c.collection_count AS expected, coalesce(a.arrived, 0) AS arrived, e.ended_at
FROM end_counts c
JOIN ends e ON e.tx_id = c.tx_id
LEFT JOIN arrivals a ON a.tx_id = c.tx_id AND a.data_collection = c.data_collection
LEFT JOIN (
    SELECT tx_id, table_name, count(*) AS letters FROM settlement_ods.holes GROUP BY tx_id, table_name
) h ON h.tx_id = c.tx_id AND h.table_name = c.data_collection
WHERE coalesce(a.arrived, 0) > c.collection_count
   OR coalesce(a.arrived, 0) + coalesce(h.letters, 0) < c.collection_count;

CREATE TEMP TABLE cut AS
SELECT e.tx_id, e.uuid, e.tag, e.number, e.place, e.ended_at
FROM ends e
WHERE e.place < (SELECT coalesce(min(w.place), 9223372036854775807) FROM waiting w)
  AND (%(until)s = '' OR e.place < (
      SELECT coalesce(min(x.place), 9223372036854775807) FROM ends x
      WHERE NOT EXISTS (
          SELECT 1 FROM until_spans u
          WHERE u.uuid = x.uuid AND u.tag = x.tag AND x.number BETWEEN u.first_number AND u.last_number)));

-- Kept for the next cycle, which asks Kafka about those that have waited for a while.
DELETE FROM settlement_ods.short_transactions;

INSERT INTO settlement_ods.short_transactions (tx_id, table_name, ended_at)
SELECT w.tx_id, w.data_collection, w.ended_at FROM waiting w WHERE w.arrived < w.expected ORDER BY w.place LIMIT 200;

DELETE FROM settlement_ods.watched_ends w
WHERE left(w.purpose, 5) = 'hole '
  AND NOT EXISTS (SELECT 1 FROM waiting x WHERE 'hole ' || x.tx_id = w.purpose);

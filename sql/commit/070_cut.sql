-- The cut: the longest run of arrived transactions, ended early by --until. May assume that ends, end_counts and
-- arrivals are complete. `waiting` keeps what is missing, so that the summary can name it.
CREATE TEMP TABLE waiting AS
SELECT c.tx_id, c.place, c.data_collection, c.collection_count AS expected, coalesce(a.arrived, 0) AS arrived
FROM end_counts c
LEFT JOIN arrivals a ON a.tx_id = c.tx_id AND a.data_collection = c.data_collection
WHERE coalesce(a.arrived, 0) <> c.collection_count;

CREATE TEMP TABLE cut AS
SELECT e.tx_id, e.uuid, e.tag, e.number, e.place, e.ended_at
FROM ends e
WHERE e.place < (SELECT coalesce(min(w.place), 9223372036854775807) FROM waiting w)
  AND (%(until)s = '' OR e.place < (
      SELECT coalesce(min(x.place), 9223372036854775807) FROM ends x
      WHERE NOT EXISTS (
          SELECT 1 FROM until_spans u
          WHERE u.uuid = x.uuid AND u.tag = x.tag AND x.number BETWEEN u.first_number AND u.last_number)));

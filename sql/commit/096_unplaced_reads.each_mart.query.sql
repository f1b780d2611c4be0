-- Rows of incremental snapshots whose GTID set is not wholly in the cut: while there are any, nobody can say what the read
-- did not bring.
SELECT count(*) AS unplaced
FROM {rows} r
WHERE r._snapshot = 'incremental'
  AND NOT EXISTS (SELECT 1 FROM read_places p WHERE p.gtid_set = r.gtid_set);

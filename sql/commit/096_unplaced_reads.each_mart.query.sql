-- Rows of incremental snapshots whose GTID set is not wholly in the cut, and bad messages since a read began: while there
-- are any, nobody can say what the read did not bring.
SELECT
    (SELECT count(*) FROM {rows} r
     WHERE r._snapshot = 'incremental'
       AND NOT EXISTS (SELECT 1 FROM read_places p WHERE p.gtid_set = r.gtid_set)) AS unplaced,
    (SELECT coalesce(sum(l.dead_letters), 0) FROM {ledger} l WHERE l.loaded_at >= %(began_at)s) AS dead_letters;

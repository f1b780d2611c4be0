-- Bad messages of a table since it began to be read anew.
SELECT coalesce(sum(l.dead_letters), 0) AS dead_letters
FROM {ledger} l
WHERE l.loaded_at >= %(began_at)s AND l.dead_letters > 0;

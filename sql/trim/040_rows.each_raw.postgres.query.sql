-- Takes the rows of these batches out of raw. Bounds on the batch id let the engine skip other blocks. Answers how many
-- rows lay in which blocks, sixteen together, as the index of ddl/010 has them: it has to be told that they are gone.
WITH gone AS (
    DELETE FROM {raw} r
    WHERE r._batch_id IN %(batches)s AND r._batch_id >= %(first)s AND r._batch_id <= %(last)s
    RETURNING CAST((CAST(CAST(r.ctid AS text) AS point))[0] AS bigint) AS block
)
SELECT g.block / 16 * 16 AS first_block, count(*) AS row_count
FROM gone g
GROUP BY g.block / 16 * 16;

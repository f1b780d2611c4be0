-- Puts in what comes to stand here: winners of this cycle that stood elsewhere or nowhere, then the rows that move. A deleted
-- row stands too, marked with the delete's commit time.
INSERT INTO {place} ({columns}, _era, _number, _order, _batch_id, _cycle, _committed_at, _deleted_at, _source_deleted)
SELECT
    {n_columns}, n._era, n._number, n._order, n._batch_id, %(cycle)s, n._committed_at,
    CASE WHEN %(on_delete)s = 'mark' THEN n._gone_at END, CASE WHEN %(on_delete)s = 'ignore' THEN n._gone_at END
FROM {incoming} n
WHERE n._target = %(place)s AND (n._stands IS NULL OR n._stands <> %(place)s);

INSERT INTO {place} ({all_columns}, _era, _number, _order, _batch_id, _cycle, _committed_at, _deleted_at, _source_deleted)
SELECT
    {g_all_columns}, g._era, g._number, g._order, g._batch_id, %(cycle)s, g._committed_at,
    CASE WHEN %(on_delete)s = 'mark' THEN g._gone_at END, CASE WHEN %(on_delete)s = 'ignore' THEN g._gone_at END
FROM {moving} g
WHERE g._target = %(place)s;

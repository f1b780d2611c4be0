-- Puts in what is to stand here: the winners of this cycle, then the rows that move. A deleted row stands too, marked
-- with the delete's commit time.
INSERT INTO {place} ({columns}, _era, _number, _order, _batch_id, _cycle, _committed_at, _deleted_at, _source_deleted)
SELECT
    {l_columns}, l._era, l._number, l._order, l._batch_id, %(cycle)s, l._committed_at,
    CASE WHEN %(on_delete)s = 'mark' THEN v._gone_at END, CASE WHEN %(on_delete)s = 'ignore' THEN v._gone_at END
FROM {verdict} v
JOIN {latest} l ON {l_is_v}
WHERE v._wins AND v._target = %(place)s;

INSERT INTO {place} ({all_columns}, _era, _number, _order, _batch_id, _cycle, _committed_at, _deleted_at, _source_deleted)
SELECT
    {g_all_columns}, g._era, g._number, g._order, g._batch_id, %(cycle)s, g._committed_at,
    CASE WHEN %(on_delete)s = 'mark' THEN g._gone_at END, CASE WHEN %(on_delete)s = 'ignore' THEN g._gone_at END
FROM {moving} g
WHERE g._target = %(place)s;

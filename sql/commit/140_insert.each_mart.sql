-- Puts the winners in, unless a newer row of the key stands. A deleted row stands too, marked with its commit time.
INSERT INTO {mart} ({columns}, _era, _number, _order, _batch_id, _cycle, _committed_at, _deleted_at)
SELECT {latest_columns}, l._era, l._number, l._order, l._batch_id, %(cycle)s, l._committed_at, l._deleted_at
FROM {latest} l
WHERE NOT EXISTS (SELECT 1 FROM {mart} m WHERE {mart_is_latest});

-- What was removed is kept by key and position; only a newer version takes it off the list, or puts its own position there.
DELETE FROM {removed} r
USING {verdict} v
WHERE {r_is_v} AND v._wins;

INSERT INTO {removed} ({key}, _era, _number, _order, _batch_id, _removed_at, _cycle)
SELECT {v_key}, v._era, v._number, v._order, v._batch_id, v._gone_at, %(cycle)s
FROM {verdict} v
WHERE v._target = 'removed' AND (v._wins OR v._stands <> 'removed');

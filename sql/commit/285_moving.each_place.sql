-- Run for the places that such rows leave.
INSERT INTO {moving}
SELECT {p_all_columns}, p._era, p._number, p._order, p._batch_id, p._committed_at, v._gone_at, v._target
FROM {verdict} v
JOIN {place} p ON {p_is_v}
WHERE v._stands = %(place)s AND NOT v._wins AND v._target <> v._stands AND v._target <> 'removed';

-- A newer version of a row that stays where it stands takes the older one's place: exactly that one, by its position. Every
-- column is set, also those that only the mart has, as if the row were put in anew.
UPDATE {place} p
SET {columns_of_n}, _era = n._era, _number = n._number, _order = n._order, _batch_id = n._batch_id, _cycle = %(cycle)s,
    _committed_at = n._committed_at,
    _deleted_at = CASE WHEN %(on_delete)s = 'mark' THEN n._gone_at END,
    _source_deleted = CASE WHEN %(on_delete)s = 'ignore' THEN n._gone_at END
FROM {incoming} n
WHERE {p_is_n} AND n._stands = %(place)s AND n._target = %(place)s
  AND p._era = n._s_era AND p._number = n._s_number AND p._order = n._s_order AND p._batch_id = n._s_batch_id;

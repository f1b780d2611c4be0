-- Takes out the version that stood here of a row that stands elsewhere now: exactly that one, by its position. A row under
-- a routing gap or dated in the future has not moved, so it stays.
DELETE FROM {place} p
USING {verdict} v
WHERE {p_is_v} AND v._stands = %(place)s AND v._target <> v._stands
  AND p._era = v._s_era AND p._number = v._s_number AND p._order = v._s_order AND p._batch_id = v._s_batch_id;

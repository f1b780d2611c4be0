-- The safety check before anything is trimmed: what should have been put in here and is not. No rows is right.
SELECT {v_key}, v._stands AS stood_in
FROM {verdict} v
WHERE v._target = %(place)s AND (v._stands IS NULL OR v._stands <> v._target)
  AND NOT EXISTS (
      SELECT 1 FROM {place} p
      WHERE {p_is_v} AND p._era = v._era AND p._number = v._number AND p._order = v._order AND p._batch_id = v._batch_id)
LIMIT 20;

-- The mart and each history table, whether this cycle wrote to it or not.
-- A key outside the table's least and greatest is not looked up: mostly newer orders; none where the table is empty.
INSERT INTO {after}
SELECT
    {p_key}, %(place)s,
    (p._era = v._era AND p._number = v._number AND p._order = v._order AND p._batch_id = v._batch_id)
FROM {verdict} v JOIN {place} p ON {p_is_v}
WHERE {v_first_key} >= (SELECT {x_first_key} FROM {place} x ORDER BY {x_first_key} LIMIT 1)
  AND {v_first_key} <= (SELECT {x_first_key} FROM {place} x ORDER BY {x_first_key} DESC LIMIT 1);

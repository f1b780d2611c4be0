-- Takes out of the mart what a winner replaces: the standing row of its key, if that is older. A standing row that is
-- newer, or the very same, stays.
DELETE FROM {mart} m
USING {latest} l
WHERE {mart_is_latest}
  AND (m._era < l._era
    OR (m._era = l._era AND (m._number < l._number
      OR (m._number = l._number AND (m._order < l._order
        OR (m._order = l._order AND m._batch_id < l._batch_id))))));

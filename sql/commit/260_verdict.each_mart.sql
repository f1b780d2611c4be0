-- What becomes of each candidate. First its winner: the version that stands, or the newer one that this cycle brings. At
-- equal positions the one written later wins.
ANALYZE {standing} ({key});

ANALYZE {leaders} ({key});

CREATE TEMP TABLE {winners} AS
SELECT
    {x_key}, x._stands, x._s_era, x._s_number, x._s_order, x._s_batch_id, x._wins,
    CASE WHEN x._wins THEN x._l_era ELSE x._s_era END AS _era,
    CASE WHEN x._wins THEN x._l_number ELSE x._s_number END AS _number,
    CASE WHEN x._wins THEN x._l_order ELSE x._s_order END AS _order,
    CASE WHEN x._wins THEN x._l_batch_id ELSE x._s_batch_id END AS _batch_id,
    CASE WHEN x._wins THEN x._l_event_time ELSE x._s_event_time END AS _event_time,
    CASE WHEN x._wins THEN x._l_gone_at ELSE x._s_gone_at END AS _gone_at
FROM (
    SELECT
        {c_key}, s._place AS _stands,
        s._era AS _s_era, s._number AS _s_number, s._order AS _s_order, s._batch_id AS _s_batch_id,
        s._event_time AS _s_event_time, s._gone_at AS _s_gone_at,
        l._era AS _l_era, l._number AS _l_number, l._order AS _l_order, l._batch_id AS _l_batch_id,
        l._event_time AS _l_event_time, l._gone_at AS _l_gone_at,
        (l._era IS NOT NULL AND (s._era IS NULL OR s._era < l._era
            OR (s._era = l._era AND (s._number < l._number
                OR (s._number = l._number AND (s._order < l._order
                    OR (s._order = l._order AND s._batch_id < l._batch_id))))))) AS _wins
    FROM {candidates} c
    LEFT JOIN {standing} s ON {s_is_c}
    LEFT JOIN {latest} l ON {l_is_c}
) x
WHERE x._s_era IS NOT NULL OR x._l_era IS NOT NULL;

ANALYZE {winners} ({key}, _era);

-- A version placed before a wipe counts as deleted by it.
CREATE TEMP TABLE {wiped} AS
SELECT {w_key}, min(p.gone_at) AS _gone_at
FROM {winners} w
JOIN settlement_ods.wipes p ON p.table_name = %(source)s
    AND (w._era < p.era OR (w._era = p.era AND (w._number < p.number
        OR (w._number = p.number AND w._order < p.row_order))))
WHERE w._gone_at IS NULL
GROUP BY {w_key};

-- Then its place. Dated in the future: the mart, whatever else holds. Removed: nowhere. Else in the mart until it is due to
-- leave: by its own event time (NULL is older than everything), or, where it follows another row, as soon as that one
-- is not in its mart. Due, and no table for its half-year: a routing gap, it stays. A NULL bound lets nothing leave.
CREATE TEMP TABLE {verdict} AS
SELECT
    {y_key}, y._stands, y._s_era, y._s_number, y._s_order, y._s_batch_id, y._wins,
    y._era, y._number, y._order, y._batch_id, y._event_time, y._gone_at, y._leader,
    CASE WHEN y._removed THEN 'removed' WHEN y._future OR NOT y._due THEN '' ELSE coalesce(y._half_year, '') END AS _target,
    (NOT y._removed AND y._future) AS _future,
    (NOT y._removed AND NOT y._future AND y._due AND y._half_year IS NULL) AS _gap
FROM (
    SELECT
        {w_key}, w._stands, w._s_era, w._s_number, w._s_order, w._s_batch_id, w._wins,
        w._era, w._number, w._order, w._batch_id, w._event_time,
        coalesce(w._gone_at, z._gone_at) AS _gone_at, d._where AS _leader, t.place AS _half_year,
        (%(on_delete)s = 'remove' AND coalesce(w._gone_at, z._gone_at) IS NOT NULL) AS _removed,
        coalesce(w._event_time > %(future_after)s, false) AS _future,
        CASE WHEN d._where = 'mart' THEN false
             WHEN d._where = 'history' THEN true
             ELSE coalesce(%(has_due)s AND (w._event_time IS NULL OR w._event_time < %(due_before)s), false)
        END AS _due
    FROM {winners} w
    LEFT JOIN {wiped} z ON {z_is_w}
    LEFT JOIN {leaders} d ON {d_is_w}
    LEFT JOIN settlement_ods.mart_places t ON t.mart = %(mart_name)s
        AND w._event_time >= t.first_second AND w._event_time < t.next_second
) y
ORDER BY {y_key};

ANALYZE {verdict} ({key}, _stands, _target);

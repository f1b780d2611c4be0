-- The keys whose place has to be looked at: those with news; rows that have aged since the last cycle (found by their
-- event time, between the old bound and the new); rows dated in the future whose time has come; keys left by name.
-- In the order of their keys, so that look-ups go through an index from one end to the other.
CREATE TEMP TABLE {candidates} AS
SELECT DISTINCT {x_key}
FROM (
    SELECT {l_key} FROM {latest} l
    UNION ALL
    SELECT {m_key} FROM {mart} m
    WHERE NOT %(follows)s AND m.{event_time} < %(due_before)s AND m.{event_time} >= %(was_due_before)s
    UNION ALL
    SELECT {m_key} FROM {mart} m WHERE NOT %(follows)s AND %(first_due)s AND m.{event_time} IS NULL
    UNION ALL
    SELECT {m_key} FROM {mart} m
    WHERE m.{event_time} > %(was_future_after)s AND m.{event_time} <= %(future_after)s
    UNION ALL
    SELECT {q_key} FROM {recheck} q
) x
ORDER BY {x_key};

DELETE FROM {recheck};

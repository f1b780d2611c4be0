-- A mart that follows another also looks at the rows whose leader came, went or changed its place, and at those with no
-- leader that have aged. May assume that the leader's mart stands as this cycle leaves it.
INSERT INTO {candidates}
SELECT {x_key}
FROM (
    SELECT {w_key} FROM {leader_moved} w
    UNION
    SELECT {a_key} FROM {alone} a
    WHERE (a._event_time < %(due_before)s AND a._event_time >= %(was_due_before)s)
       OR (%(first_due)s AND a._event_time IS NULL)
) x
WHERE NOT EXISTS (SELECT 1 FROM {candidates} c WHERE {c_is_x});

-- A key that does not stand exactly once, where it should and in the version that won. No rows is right; else the cycle is
-- rolled back.
SELECT
    {v_key}, v._stands AS stood_in, v._target AS should_stand_in, count(a._place) AS rows_found,
    min(a._place) AS one_place, sum(CASE WHEN a._right THEN 1 ELSE 0 END) AS right_versions
FROM {verdict} v
LEFT JOIN {after} a ON {a_is_v}
GROUP BY {v_key}, v._stands, v._target
HAVING count(a._place) <> 1 OR min(a._place) <> v._target OR sum(CASE WHEN a._right THEN 1 ELSE 0 END) <> 1
LIMIT 20;

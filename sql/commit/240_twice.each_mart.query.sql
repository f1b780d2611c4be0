-- Conservation before: a key that stands in two places, or twice in one. No rows is right; else the cycle stops.
SELECT {s_key}, count(*) AS rows_found, min(s._place) AS one_place, max(s._place) AS another_place
FROM {standing} s
GROUP BY {s_key}
HAVING count(*) <> 1
LIMIT 20;

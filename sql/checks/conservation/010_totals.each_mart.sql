-- The rows of each place counted, against the totals that every cycle carries forward. Reads every place as a whole.
SELECT
    CASE WHEN coalesce(c.place, t.place) = '' THEN 'the mart' ELSE coalesce(c.place, t.place) END AS row_key,
    CAST(coalesce(c.row_count, 0) AS varchar) || ' rows stand there, the totals say ' || CAST(coalesce(t.row_count, 0) AS varchar) AS what
FROM (
    SELECT p.place, count(*) AS row_count FROM ({places}) p GROUP BY p.place
) c
FULL JOIN (
    SELECT place, row_count FROM settlement_ods.mart_totals WHERE mart = %(mart)s
) t ON t.place = c.place
WHERE coalesce(c.row_count, 0) <> coalesce(t.row_count, 0)
ORDER BY 1;

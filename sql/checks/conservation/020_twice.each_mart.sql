-- A key that stands more than once over the mart, its history tables and the removed ones.
SELECT
    {row_key} AS row_key,
    CAST(count(*) AS varchar) || ' rows: in ' || CASE WHEN min(p.place) = '' THEN 'the mart' ELSE min(p.place) END
        || ' and ' || CASE WHEN max(p.place) = '' THEN 'the mart' ELSE max(p.place) END AS what
FROM ({places}) p
GROUP BY {p_key}
HAVING count(*) > 1
ORDER BY 1;

-- The cut as runs of one source UUID and tag, in the order of the transactions: what extends the eras.
SELECT uuid, tag, max(number) AS last_number, max(ended_at) AS ended_at
FROM (
    SELECT c.*, row_number() OVER (ORDER BY c.place) - row_number() OVER (PARTITION BY c.uuid, c.tag ORDER BY c.place) AS island
    FROM cut c
) x
GROUP BY uuid, tag, island
ORDER BY min(place);

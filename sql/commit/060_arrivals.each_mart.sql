-- How many distinct rows of each transaction raw holds, for one table. A row that came twice counts once.
INSERT INTO arrivals (data_collection, tx_id, arrived)
SELECT %(source)s, r._tx_id, count(DISTINCT r._tx_order)
FROM {rows} r
WHERE r._snapshot = 'false' AND r._tx_id IS NOT NULL
GROUP BY r._tx_id;

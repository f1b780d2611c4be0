-- Orders without a tracking row in the mart go to history.
INSERT INTO settlement_ods.hist_orders_2024_h1
SELECT m.*
FROM settlement_ods.mart_orders m
LEFT JOIN settlement_ods.mart_tracking t ON t.order_id = m.order_id
WHERE t.order_id IS NULL
  AND m.add_time >= 1704067200 AND m.add_time < 1719792000
  AND m.order_id NOT IN (SELECT order_id FROM settlement_ods.hist_orders_2024_h1);

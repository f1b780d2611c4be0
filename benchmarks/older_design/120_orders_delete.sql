-- The orders' rows leave the mart, those of its newest two hours only.
DELETE FROM settlement_ods.mart_orders
WHERE order_id IN (SELECT order_id FROM orders_new)
  AND add_time > (SELECT max(add_time) - 7200 FROM settlement_ods.mart_orders);

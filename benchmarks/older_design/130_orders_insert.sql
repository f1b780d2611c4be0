-- And come in anew.
INSERT INTO settlement_ods.mart_orders ({orders_columns}, _era, _number, _order, _batch_id, _cycle)
SELECT {orders_columns}, 0, 0, 0, _batch_id, 0 FROM orders_new;

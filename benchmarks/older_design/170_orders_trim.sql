-- And leave the mart.
DELETE FROM settlement_ods.mart_orders
WHERE order_id IN (
    SELECT m.order_id
    FROM settlement_ods.mart_orders m
    LEFT JOIN settlement_ods.mart_tracking t ON t.order_id = m.order_id
    WHERE t.order_id IS NULL);

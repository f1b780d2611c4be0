-- The orders' rows leave the mart.
DELETE FROM settlement_ods.mart_tracking WHERE order_id IN (SELECT order_id FROM tracking_new);

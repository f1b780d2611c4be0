-- What came in the last 900 s leaves the newest history table, and only that one.
DELETE FROM settlement_ods.hist_tracking_2024_h1
WHERE order_id IN (
    SELECT order_id FROM settlement_ods.mart_tracking
    WHERE update_time >= (SELECT max(update_time) - 900 FROM settlement_ods.mart_tracking));

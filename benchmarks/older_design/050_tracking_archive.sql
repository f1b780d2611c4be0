-- What is older than 180 days goes to history, if it lies in the one half-year that is written here and is not there yet.
INSERT INTO settlement_ods.hist_tracking_2024_h1
SELECT * FROM settlement_ods.mart_tracking
WHERE update_time < (SELECT max(update_time) - 15552000 FROM settlement_ods.mart_tracking)
  AND update_time >= 1704067200 AND update_time < 1719792000
  AND order_id NOT IN (SELECT order_id FROM settlement_ods.hist_tracking_2024_h1);

-- Raw rows newer than the mart's newest less half an hour; of each order the last by event time.
CREATE TEMP TABLE tracking_new AS
SELECT * FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.order_id ORDER BY r.update_time DESC) AS place
    FROM settlement_public.tracking_raw r
    WHERE r.update_time > (SELECT max(update_time) - 1800 FROM settlement_ods.mart_tracking)
) x
WHERE place = 1;

-- Raw rows newer than raw's newest less two hours; of each order the last by event time.
CREATE TEMP TABLE orders_new AS
SELECT * FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.order_id ORDER BY r.add_time DESC) AS place
    FROM settlement_public.orders_raw r
    WHERE r._committed_at > (SELECT max(_committed_at) - interval '7200 seconds' FROM settlement_public.orders_raw)
) x
WHERE place = 1;

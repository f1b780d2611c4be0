-- What Debezium said of first snapshots, in order.
SELECT _offset, notification_id, notification_type, additional_data, noted_at, _produced_at
FROM settlement_public.notification_raw
WHERE aggregate_type = 'Initial Snapshot'
ORDER BY _offset;

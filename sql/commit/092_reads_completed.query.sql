-- Incremental snapshots as Debezium told of them, in order: begun for some tables, one table read to its end.
SELECT n.notification_id, n.notification_type, n.additional_data, n.noted_at, n._produced_at
FROM settlement_public.notification_raw n
JOIN (
    SELECT _topic_id, min(_batch_id) AS begun FROM settlement_public.notification_raw GROUP BY _topic_id
) t ON t._topic_id = n._topic_id
WHERE n.aggregate_type = 'Incremental Snapshot' AND n.notification_type IN ('STARTED', 'TABLE_SCAN_COMPLETED')
ORDER BY t.begun, n._offset, n._batch_id;

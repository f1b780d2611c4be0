-- What Debezium said of first snapshots, in order. A topic made again begins at offset 0: what of it was loaded first tells
-- which topic came first. One offset may have been read under two generations: it comes twice then, one after the other.
SELECT n._offset, n.notification_id, n.notification_type, n.additional_data, n.noted_at, n._produced_at
FROM settlement_public.notification_raw n
JOIN (
    SELECT _topic_id, min(_batch_id) AS begun FROM settlement_public.notification_raw GROUP BY _topic_id
) t ON t._topic_id = n._topic_id
WHERE n.aggregate_type = 'Initial Snapshot'
ORDER BY t.begun, n._offset, n._batch_id;

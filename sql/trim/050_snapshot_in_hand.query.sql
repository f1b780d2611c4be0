-- Is a first snapshot running, or completed and not in the marts? Then END records written since it completed are asked
-- for (036_streamed_since). The newest notification counts; a topic made again comes behind the one before it.
SELECT newest.notification_type, newest.noted_at
FROM (
    SELECT n.notification_id, n.notification_type, n.noted_at
    FROM settlement_public.notification_raw n
    JOIN (
        SELECT _topic_id, min(_batch_id) AS begun FROM settlement_public.notification_raw GROUP BY _topic_id
    ) t ON t._topic_id = n._topic_id
    WHERE n.aggregate_type = 'Initial Snapshot' AND n.notification_type IN ('STARTED', 'COMPLETED')
    ORDER BY t.begun DESC, n._offset DESC, n._batch_id DESC
    LIMIT 1
) newest
WHERE newest.notification_type = 'STARTED'
   OR NOT EXISTS (SELECT 1 FROM settlement_ods.eras e WHERE e.snapshot_notification = newest.notification_id);

-- The transactions whose END was written to Kafka after a snapshot's COMPLETED: they are not part of the snapshot.
SELECT DISTINCT tx_id FROM settlement_public.transaction_raw WHERE _produced_at >= %(completed_at)s;

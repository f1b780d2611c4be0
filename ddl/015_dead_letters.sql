-- What people decided about bad messages, known by their origin. The letters themselves stay in Kafka. Rows are only
-- added; the last one of an origin counts. decision: 'set aside' (a message that waits for a schema id nobody knows is to
-- become a letter), 'redriven' (batch_id: the batch that brought its rows, NULL when it made none), 'dropped'.
-- to_reconcile of a drop: 'key' (row_key says which, as JSON) or 'table'; reconciled_at: when `waybill reconcile` found
-- that table equal to MySQL at a cut after message_at, the message's own time. Times are UTC. Written under the lock of the raw table's positions.
CREATE TABLE IF NOT EXISTS settlement_public.dead_letter_decisions (
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    decision varchar(16) NOT NULL,
    table_name varchar(255) NOT NULL,
    row_key varchar(65535) NOT NULL,
    to_reconcile varchar(8) NOT NULL,
    batch_id bigint,
    message_at timestamp NOT NULL,
    decided_by varchar(255) NOT NULL,
    reason varchar(65535) NOT NULL,
    decided_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp()),
    reconciled_at timestamp
);

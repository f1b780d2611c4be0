-- The ledger of a raw table: one row a loaded micro-batch. A batch of only dead letters has row_count 0 and no object.
CREATE TABLE IF NOT EXISTS {ledger} (
    batch_id bigint NOT NULL,
    object_key varchar(1024) NOT NULL,
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    generation integer NOT NULL,
    epoch bigint NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    row_count bigint NOT NULL,
    dead_letters bigint NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 varchar(64) NOT NULL,
    loaded_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

CREATE INDEX IF NOT EXISTS {ledger_batch_index} ON {ledger} (batch_id);

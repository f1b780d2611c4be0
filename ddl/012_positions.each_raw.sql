-- The positions of a raw table: per Kafka partition the next offset to be loaded. The warehouse is the truth.
-- A load locks this table first; next_offset moves by compare-and-set under the owner's epoch.
CREATE TABLE IF NOT EXISTS {positions} (
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    generation integer NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL,
    owner varchar(255) NOT NULL,
    updated_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- Where the partitions of a table ended (last stable offset) when a cycle asked: once loaded past that, everything that
-- was written before is in raw. purpose says what waits for it.
CREATE TABLE IF NOT EXISTS settlement_ods.watched_ends (
    purpose varchar(255) NOT NULL,
    table_name varchar(255) NOT NULL,
    kafka_partition integer NOT NULL,
    stable_offset bigint NOT NULL,
    asked_at timestamp NOT NULL
);

-- The transactions that hold the cut, as the last cycle left them: rows of theirs have not arrived.
CREATE TABLE IF NOT EXISTS settlement_ods.short_transactions (
    tx_id varchar(128) NOT NULL,
    table_name varchar(255) NOT NULL,
    ended_at timestamp NOT NULL
);

-- Rows that a transaction in the cut lacks because they are dead letters, one letter a missing row.
CREATE TABLE IF NOT EXISTS settlement_ods.holes (
    tx_id varchar(128) NOT NULL,
    table_name varchar(255) NOT NULL,
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    cycle bigint NOT NULL
);

-- Tables that the cycles go on without, because a person said so. state: out; returning (taken back, but not applied yet:
-- its rows of the transactions in the cut have to arrive first). Who, why, when and as of which cycle.
CREATE TABLE IF NOT EXISTS settlement_ods.tables_out (
    table_name varchar(255) NOT NULL,
    state varchar(16) NOT NULL,
    reason varchar(65535) NOT NULL,
    decided_by varchar(255) NOT NULL,
    since timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- What the END records of the transactions that were cut meanwhile say of such a table: rows that are still owed.
CREATE TABLE IF NOT EXISTS settlement_ods.owed_rows (
    table_name varchar(255) NOT NULL,
    tx_id varchar(128) NOT NULL,
    collection_count bigint NOT NULL,
    cycle bigint NOT NULL
);

-- What the loads of each table are doing: running, or stopped for a reason that a person has to decide on.
-- Consumers write it when it changes; one row a table, kept so by the writer under a lock on this table.
CREATE TABLE IF NOT EXISTS settlement_public.table_states (
    table_name varchar(255) NOT NULL,
    state varchar(16) NOT NULL,
    reason varchar(65535) NOT NULL,
    kept varchar(65535) NOT NULL,
    todo varchar(65535) NOT NULL,
    changed_by varchar(255) NOT NULL,
    since timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- What every cycle did, also one that failed. token tells two tries at one number apart.
CREATE TABLE IF NOT EXISTS settlement_ods.cycles (
    cycle bigint NOT NULL,
    token varchar(36) NOT NULL,
    status varchar(16) NOT NULL,
    holder varchar(255) NOT NULL,
    started_at timestamp NOT NULL,
    finished_at timestamp NOT NULL,
    cut_at timestamp,
    gtid_set varchar(65535) NOT NULL,
    transactions bigint NOT NULL,
    rows_in bigint NOT NULL,
    rows_applied bigint NOT NULL,
    rows_older bigint NOT NULL,
    waiting_for varchar(65535) NOT NULL,
    error varchar(65535) NOT NULL,
    summary varchar(65535) NOT NULL
);

-- What a cycle has applied of raw: a batch up to an offset, its last one when the whole batch is in the marts.
CREATE TABLE IF NOT EXISTS settlement_ods.applied_batches (
    raw_table varchar(64) NOT NULL,
    batch_id bigint NOT NULL,
    through_offset bigint NOT NULL,
    complete boolean NOT NULL,
    cycle bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS applied_batches_by_batch ON settlement_ods.applied_batches (raw_table, batch_id);

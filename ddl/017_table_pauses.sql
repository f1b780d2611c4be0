-- Tables whose loads a person has paused for maintenance: who, why, when, and who ended it. A row without resumed_at
-- is in force; consumers ask for it while they work.
CREATE TABLE IF NOT EXISTS settlement_public.table_pauses (
    table_name varchar(255) NOT NULL,
    reason varchar(65535) NOT NULL,
    paused_by varchar(255) NOT NULL,
    paused_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp()),
    resumed_by varchar(255) NOT NULL,
    resumed_at timestamp,
    resume_reason varchar(65535) NOT NULL
);

-- How far each raw table has been dealt with, in the order of load times, so that neither a cycle nor the trimming reads a
-- whole ledger. Moved under the lock of the table's positions, when no load is on its way: what is loaded later is
-- behind the marks. applied_before: every batch loaded earlier is wholly in the marts, those of raw_left aside.
-- trimmed_before: the rows of every batch loaded earlier are gone, those of raw_left aside.
CREATE TABLE IF NOT EXISTS settlement_public.raw_marks (
    raw_table varchar(64) NOT NULL,
    applied_before timestamp NOT NULL,
    trimmed_before timestamp NOT NULL
);

-- Batches that a mark has passed over, by number. why: 'not applied' or 'not trimmed'.
CREATE TABLE IF NOT EXISTS settlement_public.raw_left (
    raw_table varchar(64) NOT NULL,
    batch_id bigint NOT NULL,
    why varchar(16) NOT NULL
);

-- Where rows of a mart may stand besides the mart itself: its history tables, one a half-year, [first_second,
-- next_second) in seconds since 1970. Written with the tables, before the cycle that may need them.
CREATE TABLE IF NOT EXISTS settlement_ods.mart_places (
    mart varchar(64) NOT NULL,
    place varchar(16) NOT NULL,
    table_name varchar(127) NOT NULL,
    first_second bigint NOT NULL,
    next_second bigint NOT NULL
);

-- By which rules a mart stands, as of its last cycle. newest_event is T of the spec: seconds since 1970, never falls,
-- NULL before the first event that counts. cut_at: the cut's time then. A rule that differs from the settings marks the next cycle.
CREATE TABLE IF NOT EXISTS settlement_ods.mart_rules (
    mart varchar(64) NOT NULL,
    newest_event bigint,
    cut_at timestamp NOT NULL,
    retention_seconds bigint NOT NULL,
    on_delete varchar(16) NOT NULL,
    first_half_year varchar(16) NOT NULL,
    follows varchar(64) NOT NULL,
    cycle bigint NOT NULL
);

-- How many rows stand in each place, carried forward by every cycle: place '' is the mart, 'removed' what was removed.
-- `waybill check conservation` counts them anew.
CREATE TABLE IF NOT EXISTS settlement_ods.mart_totals (
    mart varchar(64) NOT NULL,
    place varchar(16) NOT NULL,
    row_count bigint NOT NULL
);

-- Positions before which every row of a table counts as deleted, at gone_at: a TRUNCATE that was taken, a table read anew
-- (a row that it did not bring is gone). Kept for ever, so that an event that comes late finds them.
CREATE TABLE IF NOT EXISTS settlement_ods.wipes (
    table_name varchar(255) NOT NULL,
    why varchar(255) NOT NULL,
    era integer NOT NULL,
    number bigint NOT NULL,
    row_order bigint NOT NULL,
    gone_at timestamp NOT NULL,
    cycle bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS exceptions_by_row ON settlement_ods.order_tracking_exceptions (table_name, row_key);

CREATE INDEX IF NOT EXISTS exceptions_by_id ON settlement_ods.order_tracking_exceptions (exception_id);

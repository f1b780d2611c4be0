-- Every row the pipeline could not place, by name. At most one open row per (table_name, row_key, exception_type):
-- the writer keeps it so under the cycle's lock, no constraint does.
CREATE TABLE IF NOT EXISTS settlement_ods.order_tracking_exceptions (
    exception_id bigint NOT NULL,
    table_name varchar(64) NOT NULL,
    row_key varchar(1024) NOT NULL,
    order_id bigint,
    exception_type varchar(64) NOT NULL,
    detected_at timestamp NOT NULL,
    notes varchar(65535) NOT NULL,
    resolved_at timestamp,
    resolution_notes varchar(65535)
);

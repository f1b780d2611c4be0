-- A raw table: one row an event, append-only: waybill's own columns, then the source's.
CREATE TABLE IF NOT EXISTS {raw} (
    {columns},
    "_loaded_at" timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- Rows arrive in the order of their batches, so a block-range index finds a batch's rows and costs a load next to nothing.
CREATE INDEX IF NOT EXISTS {raw_batch_index} ON {raw} USING brin ("_batch_id") WITH (pages_per_range = 16, autosummarize = on);

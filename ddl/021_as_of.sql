-- One row: what the marts are as of. A cycle commits by compare-and-set from cycle N-1 on this row.
CREATE TABLE IF NOT EXISTS settlement_ods.as_of (
    cycle bigint NOT NULL,
    cut_at timestamp,
    gtid_set varchar(65535) NOT NULL,
    consistent boolean NOT NULL,
    tables_out varchar(65535) NOT NULL,
    committed_at timestamp NOT NULL
);

INSERT INTO settlement_ods.as_of (cycle, cut_at, gtid_set, consistent, tables_out, committed_at)
SELECT 0, NULL, '', false, '', timezone('UTC', clock_timestamp())
WHERE NOT EXISTS (SELECT 1 FROM settlement_ods.as_of);

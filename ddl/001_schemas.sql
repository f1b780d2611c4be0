-- The two schemas, and the record of what of this folder has been applied. subject is '' for a step that is applied
-- once, else the raw table or mart it was applied to.
CREATE SCHEMA IF NOT EXISTS settlement_public;
CREATE SCHEMA IF NOT EXISTS settlement_ods;

CREATE TABLE IF NOT EXISTS settlement_public.schema_versions (
    step varchar(64) NOT NULL,
    subject varchar(64) NOT NULL,
    sha256 varchar(64) NOT NULL,
    applied_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

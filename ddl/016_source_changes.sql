-- What changed at the source: every statement that touched a table, in the order of the schema-change topic, and the
-- columns with their history, so that an event of any age finds the columns of its own time. version counts the shapes
-- of a table from 0 (kind begin: as it was when its raw table was made; gtid is the set MySQL had executed by then). A statement that leaves the shape as it is has none.
-- state: applied; open (a person has to decide, the table's loads stand before it); take or read again (decided).
-- must_read: why rows may differ without an event of theirs; until read_at the table is to be read again.
CREATE TABLE IF NOT EXISTS settlement_public.source_changes (
    table_name varchar(255) NOT NULL,
    change_id bigint NOT NULL,
    kind varchar(16) NOT NULL,
    version integer,
    topic_id varchar(36) NOT NULL,
    change_offset bigint NOT NULL,
    gtid varchar(65535) NOT NULL,
    changed_at timestamp,
    ddl varchar(65535) NOT NULL,
    table_columns varchar(65535),
    what varchar(65535) NOT NULL,
    state varchar(16) NOT NULL,
    must_read varchar(65535) NOT NULL,
    read_at timestamp,
    read_how varchar(65535) NOT NULL,
    decided_by varchar(255) NOT NULL,
    decided_at timestamp,
    reason varchar(65535) NOT NULL,
    recorded_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- A column of the source as it was from version added_version up to, not with, dropped_version (NULL: it still is).
-- warehouse_name is where its values are kept. default_text: the constant that older rows have without any event.
CREATE TABLE IF NOT EXISTS settlement_public.source_columns (
    table_name varchar(255) NOT NULL,
    column_name varchar(64) NOT NULL,
    warehouse_name varchar(127) NOT NULL,
    place integer NOT NULL,
    source_type varchar(64) NOT NULL,
    length bigint,
    scale integer,
    nullable boolean NOT NULL,
    width bigint NOT NULL,
    default_text varchar(65535),
    added_version integer NOT NULL,
    dropped_version integer
);

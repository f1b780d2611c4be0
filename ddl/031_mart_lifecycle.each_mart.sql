-- What a mart needs besides itself. _source_deleted: when the row was deleted at the source, where a delete changes nothing else.
ALTER TABLE {mart} ADD COLUMN IF NOT EXISTS "_source_deleted" timestamp;

-- Rows that age are found by their event time.
CREATE INDEX IF NOT EXISTS {mart_time_index} ON {mart} ({event_time});

-- Keys that were removed, with the position that removed them, so that no older event brings them back.
CREATE TABLE IF NOT EXISTS {removed} (
    {key_columns},
    "_era" integer NOT NULL,
    "_number" bigint NOT NULL,
    "_order" bigint NOT NULL,
    "_batch_id" bigint NOT NULL,
    "_removed_at" timestamp,
    "_cycle" bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS {removed_key_index} ON {removed} ({key});

-- Rows of a mart that follows another, which have nothing to follow: they leave by their own event time.
CREATE TABLE IF NOT EXISTS {alone} (
    {key_columns},
    "_event_time" bigint
);

CREATE INDEX IF NOT EXISTS {alone_key_index} ON {alone} ({key});

CREATE INDEX IF NOT EXISTS {alone_time_index} ON {alone} ("_event_time");

-- Keys that the next cycle is to look at, though nothing new came of them.
CREATE TABLE IF NOT EXISTS {recheck} (
    {key_columns}
);

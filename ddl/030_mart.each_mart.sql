-- A mart: the latest version of every row up to the cut, with its position, so that an older event cannot win.
-- _deleted_at is the delete's commit time; readers of the source's view leave such rows out.
CREATE TABLE IF NOT EXISTS {mart} (
    {columns},
    "_era" integer NOT NULL,
    "_number" bigint NOT NULL,
    "_order" bigint NOT NULL,
    "_batch_id" bigint NOT NULL,
    "_cycle" bigint NOT NULL,
    "_committed_at" timestamp,
    "_deleted_at" timestamp
);

CREATE INDEX IF NOT EXISTS {mart_key_index} ON {mart} ({key});

-- What the steps 230 to 370 of a cycle find before them: one key to look at, and nothing new of it.
CREATE TEMP TABLE {candidates} AS SELECT {m_key} FROM {mart} m WHERE false;

INSERT INTO {candidates} VALUES %(key)s;

CREATE TEMP TABLE {latest} AS
SELECT
    {raw_columns},
    0 AS _era, CAST(0 AS bigint) AS _number, CAST(0 AS bigint) AS _order, r._batch_id, r._committed_at,
    CAST(r.{event_time} AS bigint) AS _event_time, r._committed_at AS _gone_at
FROM {raw} r
WHERE false;

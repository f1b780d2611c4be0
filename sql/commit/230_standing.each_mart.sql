-- Where the candidates stand now: in the mart ('') or removed. Looked up by key.
ANALYZE {candidates} ({key});

CREATE TEMP TABLE {standing} AS
SELECT
    {m_key}, CAST('' AS varchar(16)) AS _place, m._era, m._number, m._order, m._batch_id,
    CAST(m.{event_time} AS bigint) AS _event_time, coalesce(m._deleted_at, m._source_deleted) AS _gone_at
FROM {candidates} c
JOIN {mart} m ON {m_is_c};

INSERT INTO {standing}
SELECT {r_key}, 'removed', r._era, r._number, r._order, r._batch_id, NULL, r._removed_at
FROM {candidates} c
JOIN {removed} r ON {r_is_c};

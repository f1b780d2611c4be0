-- Rows that move though nothing new came of them are read from where they stand, with every column that they have.
CREATE TEMP TABLE {moving} AS
SELECT {m_all_columns}, m._era, m._number, m._order, m._batch_id, m._committed_at, m._deleted_at AS _gone_at,
    CAST('' AS varchar(16)) AS _target
FROM {mart} m WHERE false;

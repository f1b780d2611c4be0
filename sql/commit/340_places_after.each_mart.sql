-- Conservation after: every place in which each candidate stands now, and whether in the version that it should.
CREATE TEMP TABLE {after} AS
SELECT
    {r_key}, CAST('removed' AS varchar(16)) AS _place,
    (r._era = v._era AND r._number = v._number AND r._order = v._order AND r._batch_id = v._batch_id) AS _right
FROM {verdict} v JOIN {removed} r ON {r_is_v};

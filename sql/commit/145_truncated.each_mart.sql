-- A TRUNCATE at the source that a person took: every row placed before it is marked deleted, at its commit time. The
-- cycle that first reaches it reads the whole mart; later ones look only at the rows they put in themselves. A TRUNCATE
-- has no END: it is reached when an era holds a later number of its source.
CREATE TEMP TABLE {truncated} AS
SELECT c.gtid, c.changed_at, e.era, c.number, (a.gtid IS NULL) AS is_new
FROM (
    SELECT
        gtid, changed_at,
        split_part(gtid, ':', 1) AS uuid,
        CASE WHEN split_part(gtid, ':', 3) = '' THEN '' ELSE split_part(gtid, ':', 2) END AS tag,
        CAST(CASE WHEN split_part(gtid, ':', 3) = '' THEN split_part(gtid, ':', 2)
                  ELSE split_part(gtid, ':', 3) END AS bigint) AS number
    FROM settlement_public.source_changes
    WHERE table_name = %(source)s AND kind = 'truncate' AND state = 'take'
) c
JOIN settlement_ods.eras e ON e.source_uuid = c.uuid AND e.source_tag = c.tag
    AND c.number BETWEEN e.first_number AND e.last_number
LEFT JOIN settlement_ods.truncates_applied a ON a.table_name = %(source)s AND a.gtid = c.gtid;

INSERT INTO settlement_ods.truncates_applied (table_name, gtid, cycle)
SELECT %(source)s, gtid, %(cycle)s FROM {truncated} WHERE is_new;

UPDATE {mart} m
SET _deleted_at = t.changed_at, _cycle = %(cycle)s
FROM {truncated} t
WHERE EXISTS (SELECT 1 FROM {truncated} n WHERE n.is_new)
  AND t.is_new AND m._deleted_at IS NULL
  AND (m._era < t.era OR (m._era = t.era AND m._number < t.number));

UPDATE {mart} m
SET _deleted_at = t.changed_at
FROM {truncated} t
CROSS JOIN {latest} l
WHERE {mart_is_latest} AND m._deleted_at IS NULL
  AND (m._era < t.era OR (m._era = t.era AND m._number < t.number));

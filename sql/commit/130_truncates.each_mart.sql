-- A TRUNCATE at the source that a person took deletes every row placed before it, at its commit time. It has no END: it
-- is reached when an era holds its number. Its rows are the newly reached ones; they make this cycle a marked one.
INSERT INTO settlement_ods.wipes (table_name, why, era, number, row_order, gone_at, cycle)
SELECT %(source)s, 'TRUNCATE ' || c.gtid, e.era, c.number, 0, c.changed_at, %(cycle)s
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
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.wipes w WHERE w.table_name = %(source)s AND w.why = 'TRUNCATE ' || c.gtid);

-- The same as rows.mysql.sql over a mart and its history; rows deleted at the source are left out.
-- Sorted by compared.column: a bare name would mean the text of that name in the list.
SELECT {texts}
FROM {table} AS compared
WHERE _deleted_at IS NULL AND _source_deleted IS NULL AND {bucket} IN ({buckets})
ORDER BY {order};

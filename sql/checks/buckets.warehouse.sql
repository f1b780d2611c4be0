-- The same as buckets.mysql.sql over a mart and its history; rows deleted at the source are left out.
SELECT {bucket} AS bucket, count(*) AS row_count,
       sum(('x' || left(encode(sha256(convert_to({row}, 'UTF8')), 'hex'), 15))::bit(60)::bigint) AS checksum
FROM {table} AS compared
WHERE _deleted_at IS NULL AND _source_deleted IS NULL
GROUP BY 1;

-- Per bucket of keys: how many rows, and the sum of the first 60 bits of each row's digest.
-- A row's text: every column's text with its length in bytes before it, '-' for NULL.
-- SHA2, because MySQL 9.6 and newer have MD5 only where a component was installed.
SELECT {bucket} AS bucket, COUNT(*) AS row_count,
       SUM(CAST(CONV(LEFT(SHA2({row}, 256), 15), 16, 10) AS UNSIGNED)) AS checksum
FROM {table}
GROUP BY bucket;

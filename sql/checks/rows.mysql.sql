-- Every column's text of the rows in the buckets that differ, in an order that both databases share.
SELECT {texts}
FROM {table}
WHERE {bucket} IN ({buckets})
ORDER BY {order};

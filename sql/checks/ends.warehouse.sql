-- END records of transactions of one source UUID (with its tag) whose number lies in a span: one row for each
-- transaction and table that it touched.
SELECT DISTINCT tx_id, data_collection
FROM settlement_public.transaction_raw
WHERE left(tx_id, length(%(line)s)) = %(line)s
  AND length(tx_id) > length(%(line)s)
  AND substring(tx_id FROM '[0-9]+$')::bigint BETWEEN %(first)s AND %(last)s;

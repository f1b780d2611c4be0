-- A history table that no cycle knows: its rows stand nowhere.
SELECT CAST(c.table_name AS varchar) AS row_key, 'a history table that settlement_ods.mart_places does not name' AS what
FROM information_schema.tables c
WHERE c.table_schema = 'settlement_ods' AND left(c.table_name, length(%(history)s)) = %(history)s
  AND length(c.table_name) = length(%(history)s) + length('2024_h1')
  AND NOT EXISTS (
      SELECT 1 FROM settlement_ods.mart_places p WHERE p.mart = %(mart)s AND p.table_name = c.table_name)
ORDER BY 1;

-- The END counts of tables that this cycle goes on without, kept until such a table is taken back.
INSERT INTO settlement_ods.owed_rows (table_name, tx_id, collection_count, cycle)
SELECT DISTINCT t.data_collection, t.tx_id, t.collection_count, %(cycle)s
FROM end_places t
JOIN cut c ON c.place = t.place
WHERE t.data_collection IN %(out)s;

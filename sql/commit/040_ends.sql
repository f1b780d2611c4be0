-- The END records not applied yet with their place, the order of transactions: that of the topic, a topic made again
-- behind the one before it (its offsets begin anew). One offset read under two generations has one place.
CREATE TEMP TABLE end_places AS
SELECT
    t.tx_id, t.ended_at, t.data_collection, t.collection_count, t._offset,
    dense_rank() OVER (ORDER BY o.begun, t._topic_id, t._offset) AS place
FROM settlement_public.transaction_raw t
JOIN pending_batches p ON p.raw_table = 'transaction_raw' AND p.batch_id = t._batch_id AND t._offset > p.through_offset
JOIN (
    -- Of the topics that wait alone: the ledger is long.
    SELECT w.topic_id, (
        SELECT min(l.batch_id) FROM settlement_public.transaction_raw_ledger l WHERE l.topic_id = w.topic_id) AS begun
    FROM (
        SELECT DISTINCT n.topic_id
        FROM settlement_public.transaction_raw_ledger n
        JOIN pending_batches p ON p.raw_table = 'transaction_raw' AND p.batch_id = n.batch_id
    ) w
) o ON o.topic_id = t._topic_id
WHERE t._batch_id >= (SELECT min(batch_id) FROM pending_batches WHERE raw_table = 'transaction_raw')
  AND t._batch_id <= (SELECT max(batch_id) FROM pending_batches WHERE raw_table = 'transaction_raw');

-- The transactions that ended and are not in the cut yet, in their order: the first END of an id counts. An id that an
-- era holds is in the cut already. May assume that the eras of a first snapshot are there.
CREATE TEMP TABLE ends AS
SELECT x.tx_id, x.uuid, x.tag, x.number, min(x.place) AS place, min(x.ended_at) AS ended_at
FROM (
    SELECT
        t.tx_id, t.place, t.ended_at,
        split_part(t.tx_id, ':', 1) AS uuid,
        CASE WHEN split_part(t.tx_id, ':', 3) = '' THEN '' ELSE split_part(t.tx_id, ':', 2) END AS tag,
        CAST(CASE WHEN split_part(t.tx_id, ':', 3) = '' THEN split_part(t.tx_id, ':', 2)
                  ELSE split_part(t.tx_id, ':', 3) END AS bigint) AS number
    FROM end_places t
) x
WHERE NOT EXISTS (
    SELECT 1 FROM settlement_ods.eras e
    WHERE e.source_uuid = x.uuid AND e.source_tag = x.tag AND x.number BETWEEN e.first_number AND e.last_number
)
GROUP BY x.tx_id, x.uuid, x.tag, x.number;

-- What each END says of the tables that have a mart. DISTINCT: one offset may have been read under two generations.
CREATE TEMP TABLE all_end_counts AS
SELECT DISTINCT e.tx_id, e.place, t.place AS own_place, t._offset, t.data_collection, t.collection_count
FROM ends e
JOIN end_places t ON t.tx_id = e.tx_id
WHERE t.data_collection IN %(sources)s;

CREATE TEMP TABLE end_counts AS
SELECT tx_id, place, data_collection, collection_count FROM all_end_counts WHERE own_place = place;

ANALYZE ends (tx_id, place);

ANALYZE end_counts (tx_id, place, data_collection);

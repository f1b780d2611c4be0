-- In a marked cycle: rows that stand here and count as deleted now, or are marked by another rule than before. May assume
-- that what left this place is taken out; what came to it or was replaced in it has its mark.
UPDATE {place} p
SET _deleted_at = CASE WHEN %(on_delete)s = 'mark' THEN v._gone_at END,
    _source_deleted = CASE WHEN %(on_delete)s = 'ignore' THEN v._gone_at END,
    _cycle = %(cycle)s
FROM {verdict} v
WHERE {p_is_v} AND v._target = %(place)s AND v._gone_at IS NOT NULL
  AND (CASE WHEN %(on_delete)s = 'mark' THEN p._deleted_at ELSE p._source_deleted END IS NULL);

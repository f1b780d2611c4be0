-- Rows in the mart with nothing to follow, kept apart so that no later step has to look for them in the mart.
DELETE FROM {alone} a
USING {verdict} v
WHERE {a_is_v};

INSERT INTO {alone} ({key}, _event_time)
SELECT {v_key}, v._event_time
FROM {verdict} v
WHERE v._target = '' AND v._leader IS NULL;

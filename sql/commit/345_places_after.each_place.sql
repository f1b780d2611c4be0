-- The mart and each history table, whether this cycle wrote to it or not.
INSERT INTO {after}
SELECT {p_key}, %(place)s FROM {verdict} v JOIN {place} p ON {p_is_v};

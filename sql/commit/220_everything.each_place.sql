-- A marked cycle looks at every row, wherever it stands: a rule has changed, or a table was emptied or read anew.
INSERT INTO {candidates}
SELECT {p_key} FROM {place} p
WHERE NOT EXISTS (SELECT 1 FROM {candidates} c WHERE {c_is_p});

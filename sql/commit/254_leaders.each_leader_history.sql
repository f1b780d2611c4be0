-- Or in one of the leader's history tables.
-- A key outside the table's least and greatest is not looked up: mostly newer orders; none where the table is empty.
INSERT INTO {leaders}
SELECT {h_key}, 'history' FROM {candidates} c JOIN {history} h ON {h_is_c}
WHERE {c_first_key} >= (SELECT {x_first_key} FROM {history} x ORDER BY {x_first_key} LIMIT 1)
  AND {c_first_key} <= (SELECT {x_first_key} FROM {history} x ORDER BY {x_first_key} DESC LIMIT 1);

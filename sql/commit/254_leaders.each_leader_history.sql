-- Or in one of the leader's history tables.
INSERT INTO {leaders}
SELECT {h_key}, 'history' FROM {candidates} c JOIN {history} h ON {h_is_c};

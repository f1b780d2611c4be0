-- In the leader's mart. A row that is marked as deleted there stands there.
INSERT INTO {leaders}
SELECT {m_key}, 'mart' FROM {candidates} c JOIN {leader_mart} m ON {m_is_c};

-- Who commits now. The lock table is what makes cycles exclude each other; the lease says who, and until when
-- (warehouse clock), so that a newcomer can end a dead holder's session.
CREATE TABLE IF NOT EXISTS settlement_ods.cycle_lock (
    nothing integer
);

CREATE TABLE IF NOT EXISTS settlement_ods.cycle_lease (
    holder varchar(255) NOT NULL,
    token varchar(36) NOT NULL,
    session_id bigint NOT NULL,
    expires_at timestamp NOT NULL
);

INSERT INTO settlement_ods.cycle_lease (holder, token, session_id, expires_at)
SELECT '', '', 0, timezone('UTC', clock_timestamp())
WHERE NOT EXISTS (SELECT 1 FROM settlement_ods.cycle_lease);

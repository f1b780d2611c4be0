-- Eras: runs of one source UUID and tag in the order of the transactions' first ENDs, kept for ever (spec section 4).
-- A first snapshot is an era of its own, source_uuid '': its rows stand at (era, 0, 0), before all that follows.
-- Number n of (uuid, tag) is in the cut when an era holds it: first_number <= n <= last_number.
CREATE TABLE IF NOT EXISTS settlement_ods.eras (
    era integer NOT NULL,
    source_uuid varchar(36) NOT NULL,
    source_tag varchar(32) NOT NULL,
    first_number bigint NOT NULL,
    last_number bigint NOT NULL,
    snapshot_server_id bigint,
    snapshot_file varchar(255),
    snapshot_pos bigint,
    snapshot_notification varchar(64)
);

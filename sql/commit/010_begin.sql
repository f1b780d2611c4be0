-- Opens the cycle's scratch tables. Reads nothing. The session is the cycle's own, so they end with it.
CREATE TEMP TABLE pending_batches (
    raw_table varchar(64) NOT NULL,
    batch_id bigint NOT NULL,
    through_offset bigint NOT NULL,
    last_offset bigint NOT NULL
);

CREATE TEMP TABLE arrivals (
    data_collection varchar(255) NOT NULL,
    tx_id varchar(128) NOT NULL,
    arrived bigint NOT NULL
);

CREATE TEMP TABLE read_places (
    gtid_set varchar(65535) NOT NULL,
    era integer NOT NULL,
    number bigint NOT NULL
);

CREATE TEMP TABLE until_spans (
    uuid varchar(36) NOT NULL,
    tag varchar(32) NOT NULL,
    first_number bigint NOT NULL,
    last_number bigint NOT NULL
);

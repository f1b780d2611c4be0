-- Holes that are none any more, by the letter's origin: it was redriven or dropped, or its row came to raw otherwise.
CREATE TABLE IF NOT EXISTS settlement_ods.mended_holes (
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    why varchar(64) NOT NULL,
    cycle bigint NOT NULL
);

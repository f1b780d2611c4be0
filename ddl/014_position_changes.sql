-- Positions that a person moved (`waybill offsets seed`, `reset`): who, why, when, from, to. Each writes a new generation.
-- from_topic_id '' and from_offset NULL: the partition had never been read. Written together with the position.
CREATE TABLE IF NOT EXISTS settlement_public.position_changes (
    change varchar(16) NOT NULL,
    table_name varchar(255) NOT NULL,
    raw_table varchar(64) NOT NULL,
    topic varchar(249) NOT NULL,
    kafka_partition integer NOT NULL,
    from_topic_id varchar(36) NOT NULL,
    from_offset bigint,
    from_generation integer NOT NULL,
    to_topic_id varchar(36) NOT NULL,
    to_offset bigint NOT NULL,
    generation integer NOT NULL,
    asked varchar(255) NOT NULL,
    events_skipped bigint NOT NULL,
    events_again bigint NOT NULL,
    changed_by varchar(255) NOT NULL,
    reason varchar(65535) NOT NULL,
    changed_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp())
);

-- Offsets that such a move left out: [first_offset, next_offset) of a topic. next_offset NULL: to the end of a topic that
-- is gone, so nobody knows how far. generation is the one that began behind the span; a later one may read it after all.
CREATE TABLE IF NOT EXISTS settlement_public.skipped_spans (
    table_name varchar(255) NOT NULL,
    raw_table varchar(64) NOT NULL,
    topic varchar(249) NOT NULL,
    topic_id varchar(36) NOT NULL,
    kafka_partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint,
    generation integer NOT NULL,
    why varchar(65535) NOT NULL,
    skipped_by varchar(255) NOT NULL,
    skipped_at timestamp NOT NULL DEFAULT timezone('UTC', clock_timestamp()),
    accepted_by varchar(255) NOT NULL,
    accepted_reason varchar(65535) NOT NULL,
    accepted_at timestamp
);

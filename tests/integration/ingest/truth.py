"""Raw against the stream, read from Kafka by other code: nothing lost, nothing twice, every event its own row."""

from __future__ import annotations

from tests.integration.ingest.workshop import read_topic
from tests.pipeline_on_stack import PipelineOnStack

TABLES = {"ecs_order_info": "ecs_order_info_raw", "uni_tracking_info": "uni_tracking_info_raw",
          "uni_tracking_spath": "uni_tracking_spath_raw"}  # fmt: skip


def assert_raw_is_the_stream(pipeline: PipelineOnStack) -> dict[str, int]:
    """Every table's raw rows are the committed messages of its topic, once each; answers how many."""
    counts = {}
    for table, raw in TABLES.items():
        topic = f"{pipeline.name}.{pipeline.orders}.{table}"
        stream = {(m.partition(), m.offset()) for m in read_topic(pipeline.servers.addresses.kafka.bootstrap, topic)}
        rows = pipeline.servers.rows(
            f'SELECT "_generation", "_topic_id", "_partition", "_offset" FROM settlement_public.{raw}'
        )
        assert len({(generation, topic_id) for generation, topic_id, _, _ in rows}) == 1
        loaded = [(partition, offset) for *_, partition, offset in rows]
        assert len(loaded) == len(set(loaded)), f"{raw} holds {len(loaded) - len(set(loaded))} rows twice"
        assert sorted(stream - set(loaded)) == []
        assert sorted(set(loaded) - stream) == []
        (ledger,) = pipeline.servers.row(f"SELECT sum(row_count) FROM settlement_public.{raw}_ledger")
        assert ledger == len(loaded)
        assert_ledger_is_gapless(pipeline, raw)
        counts[table] = len(loaded)
    return counts


def assert_ledger_is_gapless(pipeline: PipelineOnStack, raw: str) -> None:
    """No two loaded batches of a partition overlap, and every row lies within the batch it names."""
    overlapping = pipeline.servers.rows(
        f"SELECT a.batch_id, b.batch_id FROM settlement_public.{raw}_ledger a JOIN settlement_public.{raw}_ledger b"
        " ON a.kafka_partition = b.kafka_partition AND a.batch_id < b.batch_id"
        " AND a.first_offset < b.next_offset AND b.first_offset < a.next_offset"
    )
    assert overlapping == []
    astray = pipeline.servers.row(
        f"SELECT count(*) FROM settlement_public.{raw} r LEFT JOIN settlement_public.{raw}_ledger l"
        ' ON l.batch_id = r."_batch_id" AND r."_offset" >= l.first_offset AND r."_offset" < l.next_offset'
        ' AND l.kafka_partition = r."_partition" WHERE l.batch_id IS NULL'
    )
    assert astray == (0,)

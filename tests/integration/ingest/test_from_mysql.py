"""MySQL -> Debezium -> Kafka -> Parquet -> raw: the seeded tables arrive whole, and so does what is written later."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from consumers.decoder import Decoded, FastavroDecoder
from consumers.native_decoder import NativeDecoder
from consumers.registry import Registry
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.integration.ingest.truth import TABLES, assert_raw_is_the_stream
from tests.integration.ingest.workshop import read_topic
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

SEED = 20261122


def test_the_seeded_tables_arrive_whole_then_a_killed_consumer_loses_and_repeats_nothing(
    pipeline: PipelineOnStack,
) -> None:
    pipeline.seed(500)
    pipeline.does("schema", "apply")
    pipeline.does("connect", "apply", seconds=150)
    goal = {
        table: pipeline.servers.mysql(f"SELECT count(*) FROM `{pipeline.orders}`.`{table}`")[0][0] for table in TABLES
    }

    def snapshot_rows() -> bool:
        pipeline.does("consume", "--until-caught-up")
        return goal == {
            table: pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{raw} WHERE \"_op\" = 'r'")[0]
            for table, raw in TABLES.items()
        }

    until(snapshot_rows, "every seeded row in raw", 120, pipeline.ends_of_logs)
    told = pipeline.servers.rows("SELECT notification_type FROM settlement_public.notification_raw")
    assert ("STARTED",) in told
    assert ("COMPLETED",) in told

    kills = random.Random(SEED)
    writer = pipeline.generate(300)
    for number in range(8):
        consumer = pipeline.beside("consume", "--member", "one", name=f"consume-{number}")
        word = ("owns", "objects loaded")[number % 2]  # half of them die before they have loaded anything, perhaps
        until(lambda c=consumer, w=word: c.running() and w in c.log.read_text(), word, 60, consumer.ends)
        time.sleep(kills.uniform(0, 2))
        assert consumer.running()
        consumer.kill()
    assert writer.terminate() == 0
    pipeline.does("consume", "--until-caught-up")
    pipeline.does("consume", "--until-caught-up")
    counts = assert_raw_is_the_stream(pipeline)
    # The kills fell upon consumers that were loading: several owners brought rows.
    (owners,) = pipeline.servers.row(
        "SELECT count(DISTINCT epoch) FROM settlement_public.uni_tracking_spath_raw_ledger"
    )
    assert owners >= 2
    assert all(counts[table] > goal[table] for table in TABLES)
    assert_transactions_are_whole(pipeline)
    assert_decoders_agree(pipeline)


def assert_decoders_agree(pipeline: PipelineOnStack) -> None:
    """The native decoder made of every real event what fastavro makes of it, and needed no help."""
    kafka, registry = pipeline.servers.addresses.kafka, Registry(pipeline.servers.addresses.registry.url)
    for table in TABLES:
        messages = [
            bytes(m.value() or b"") for m in read_topic(kafka.bootstrap, f"{pipeline.name}.{pipeline.orders}.{table}")
        ]
        ids = {int.from_bytes(message[1:5], "big") for message in messages}
        for schema_id in ids:
            schema = WriterSchema(schema_id, registry.text(schema_id))
            same = [message for message in messages if int.from_bytes(message[1:5], "big") == schema_id]
            plain = FastavroDecoder().decode(schema, Shape.ROWS, same)
            native = NativeDecoder(Refusing()).decode(schema, Shape.ROWS, same)
            assert native.table.equals(plain.table)
            assert (native.bad, plain.bad) == ({}, {})


class Refusing(FastavroDecoder):
    """A reference that must not be needed."""

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        raise AssertionError("the native decoder did not decode a real event by itself")


def assert_transactions_are_whole(pipeline: PipelineOnStack) -> None:
    """Each table's raw holds as many orders of a transaction as its END says."""
    for table, raw in TABLES.items():
        short = pipeline.servers.rows(
            "WITH said AS (SELECT DISTINCT tx_id, collection_count FROM settlement_public.transaction_raw"
            " WHERE data_collection = %s), held AS ("
            f' SELECT "_tx_id" AS tx_id, count(DISTINCT "_tx_order") AS orders FROM settlement_public.{raw}'
            ' WHERE "_tx_id" IS NOT NULL GROUP BY 1)'
            " SELECT tx_id, collection_count, orders FROM said FULL JOIN held USING (tx_id)"
            " WHERE orders IS DISTINCT FROM collection_count",
            f"{pipeline.orders}.{table}",
        )
        assert short == [], f"{raw}: {short[:5]}"

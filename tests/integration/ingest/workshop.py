"""A topic of a table with one column of every kind, written by the test as Connect writes: in transactions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from cli import ingest
from cli.context import Context
from consumers.caught_up import CaughtUp
from consumers.loop import Loop
from consumers.registry import CCOMPAT
from consumers.source_columns import source_column
from tests.unit.consumers import debezium
from tests.unit.consumers.parcel import COLUMNS, KEY, VALUE
from warehouse.change import apply
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw
from waybill.addresses import Addresses, Warehouse
from waybill.clock import SystemClock

RAW = "parcel_raw"
PARTITIONS = 3


class Workshop:
    """`topic` has three partitions; `session` sees the raw table `parcel_raw`."""

    def __init__(self, addresses: Addresses, warehouse: Warehouse, name: str, folder: Path) -> None:
        self.name = name
        self.topic = f"{name}.kuaisong.parcel"
        self.addresses = addresses
        self.warehouse = warehouse
        self.bootstrap = addresses.kafka.bootstrap
        self.path = folder / "pipeline.yml"
        self.write_file()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})
        self.session = Session(warehouse, "test")
        self.make_tables(COLUMNS)
        self.make_topic()
        self.key_id, self.value_id = self.register("key", KEY), self.register("value", VALUE)
        self._producer: Any = None
        self._loops: list[Loop] = []

    def write_file(self, **consume: Any) -> None:
        batch = {"rows": 50, "seconds": 0.2}
        self.path.write_text(
            yaml.safe_dump(
                {
                    "version": 1,
                    "source": {"connector": self.name, "topic_prefix": self.name},
                    "storage": {"prefix": f"tests/{self.name}"},
                    "consume": {"retry_stopped_seconds": 1, "dead_letters_in_a_row": 5, **consume},
                    "tables": [{"source": "kuaisong.parcel", "key": ["order_id"], "batch": batch}],
                }
            )
        )

    @property
    def context(self) -> Context:
        """A command line's context on this test's pipeline file and warehouse."""
        made = Context(pipeline_path=self.path, root=self.path.parent)
        values = self.addresses.plain()
        values["warehouse"] = {**values["warehouse"], "database": self.warehouse.database}
        made.__dict__["addresses"] = Addresses(values)
        return made

    def make_tables(self, columns: Sequence[Mapping[str, Any]]) -> None:
        raws = [
            RawTable.of_source(RAW, [source_column(c) for c in columns], "kuaisong.parcel"),
            RawTable.of_stream(raw.SCHEMA_CHANGE_TABLE, raw.SCHEMA_CHANGE),
            RawTable.of_stream(raw.TRANSACTION_TABLE, raw.TRANSACTION),
            RawTable.of_stream(raw.NOTIFICATION_TABLE, raw.NOTIFICATION),
        ]
        apply(self.session, plan(self.session, raws, []))

    def make_topic(self) -> None:
        """Make it, also right after it was deleted."""
        for _ in range(50):
            try:
                self.admin.create_topics([NewTopic(self.topic, num_partitions=PARTITIONS)])[self.topic].result(10)
                return
            except KafkaException:  # still being deleted
                time.sleep(0.2)
        raise AssertionError(f"{self.topic} cannot be made")

    def register(self, what: str, schema: Mapping[str, Any]) -> int:
        client = SchemaRegistryClient({"url": self.addresses.registry.url + CCOMPAT})
        return int(client.register_schema(f"{self.topic}-{what}", Schema(json.dumps(schema), "AVRO")))

    def event(self, image: Mapping[str, Any], **more: Any) -> tuple[bytes, bytes]:
        """Key and value of one event."""
        return (
            debezium.wire(self.key_id, KEY, {"order_id": image["order_id"]}),
            debezium.wire(self.value_id, VALUE, debezium.event(image, **more)),
        )

    def write(
        self, messages: Iterable[tuple[bytes | None, bytes | None]], *, partition: int = 0, commit: bool = True
    ) -> None:
        """One Kafka transaction."""
        if self._producer is None:
            self._producer = Producer(
                {"bootstrap.servers": self.bootstrap, "transactional.id": self.name, "linger.ms": 1}
            )
            self._producer.init_transactions(30)
        self._producer.begin_transaction()
        for key, value in messages:
            self._producer.produce(self.topic, key=key, value=value, partition=partition)
        self._producer.flush(30)
        (self._producer.commit_transaction if commit else self._producer.abort_transaction)(30)

    def loop(self) -> Loop:
        """A consumer, in this process, not started."""
        context = self.context
        chosen = [s for s in ingest.streams(context.pipeline) if s.raw == RAW]
        made = ingest.loop(context, chosen, None)
        self._loops.append(made)
        return made

    def consume(self, seconds: float = 60) -> Loop:
        """Load what there is."""
        made = self.loop()
        self.turn(made, lambda goal: goal.reached(made.carried.values()), seconds)
        self.leave(made)
        return made

    def join(self, loop: Loop, seconds: float = 30) -> None:
        """Turn until the loop owns every partition."""
        self.turn(loop, lambda _: sum(p.position is not None for p in self.partitions(loop)) == PARTITIONS, seconds)

    def turn(self, loop: Loop, reached: Any, seconds: float = 30) -> None:
        """Turn the loop until it is reached; `reached` is given what knows whether all is loaded."""
        if loop not in getattr(self, "_joined", []):
            self._joined = [*getattr(self, "_joined", []), loop]
            loop._feed.subscribe(sorted(loop.carried), loop._assigned, loop._revoked)
        context = self.context
        goal = CaughtUp(ingest.topics(context), ingest.raw_store(context), SystemClock())
        limit = time.monotonic() + seconds
        while not reached(goal):
            assert time.monotonic() < limit, f"not within {seconds} s: {loop.carried}"
            loop.step(goal)

    def leave(self, loop: Loop) -> None:
        """Out of the group."""
        self._loops.remove(loop)
        loop.close()

    def partitions(self, loop: Loop) -> list[Any]:
        return [p for c in loop.carried.values() for p in c.partitions.values()]

    def rows(self, columns: str = "order_id", order: str = '"_partition", "_offset"') -> list[tuple[Any, ...]]:
        """Rows of the raw table."""
        return [
            tuple(r.values())
            for r in self.session.rows(f"SELECT {columns} FROM settlement_public.{RAW} ORDER BY {order}")
        ]

    def ledger(self, columns: str) -> list[tuple[Any, ...]]:
        found = self.session.rows(f"SELECT {columns} FROM settlement_public.{RAW}_ledger ORDER BY batch_id")
        return [tuple(r.values()) for r in found]

    def positions(self) -> dict[int, int]:
        found = self.session.rows(f"SELECT kafka_partition, next_offset FROM settlement_public.{RAW}_positions")
        return {row["kafka_partition"]: row["next_offset"] for row in found}

    def read(self, topic: str) -> list[Message]:
        """Everything that is committed in a topic, read without the product's code."""
        return read_topic(self.bootstrap, topic)

    def clear(self) -> None:
        for loop in list(self._loops):
            self.leave(loop)
        self.session.close()
        mine = [name for name in self.admin.list_topics(timeout=10).topics if name.startswith(f"{self.name}.")]
        if mine:
            for future in self.admin.delete_topics(mine).values():
                future.result(30)
        s3 = self.addresses.s3
        client = ingest.bucket_client(s3)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=s3.bucket, Prefix=f"tests/{self.name}/"):
            for found in page.get("Contents", ()):
                client.delete_object(Bucket=s3.bucket, Key=found["Key"])


def read_topic(bootstrap: str, topic: str) -> list[Message]:
    """Every committed message, partition by partition, up to the last stable offset."""
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "test-reader", "isolation.level": "read_committed",
            "enable.partition.eof": True, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        }
    )  # fmt: skip
    numbers = sorted(reader.list_topics(topic, timeout=10).topics[topic].partitions)
    reader.assign([TopicPartition(topic, number, 0) for number in numbers])
    found: list[Message] = []
    ended: set[int] = set()
    while len(ended) < len(numbers):
        for message in reader.consume(1_000, 1.0):
            if message.error():
                ended.add(message.partition())
            else:
                found.append(message)
    reader.close()
    return sorted(found, key=lambda m: (m.partition(), m.offset()))

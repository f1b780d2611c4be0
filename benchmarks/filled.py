"""A topic full of events, with the raw tables, pipeline file and schemas that a consumer of it needs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from benchmarks.forge import TABLE, Forge
from cli import ingest
from consumers.registry import CCOMPAT
from consumers.source_columns import source_column
from tests.conftest import fresh_database
from warehouse.change import apply
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw
from waybill.addresses import Addresses, Warehouse

ROOT = Path(__file__).resolve().parent.parent
RAW = "ecs_order_info_raw"
_PER_COMMIT = 20_000


@dataclass
class Filled:
    """`environment` is that of a command which works on it."""

    name: str
    folder: Path
    addresses: Addresses
    warehouse: Warehouse
    partitions: int
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return f"{self.name}.{TABLE}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ, **self.addresses.environment(), "PYTHONPATH": str(ROOT),
            "WAYBILL_WAREHOUSE_DATABASE": self.warehouse.database,
            "WAYBILL_PIPELINE": str(self.folder / "pipeline.yml"),
        }  # fmt: skip

    def rows(self, query: str) -> list[dict[str, Any]]:
        with Session(self.warehouse, "bench") as session:
            return session.rows(query)

    def produce(self, forge: Forge, ids: dict[str, int], events: int, seed: int = 1, rate: int = 0) -> int:
        """Fill the topics in Kafka transactions, as Connect does; answers the bytes of the row events.

        `rate`: row events a second; 0: as fast as it goes.
        """
        producer = Producer(
            {
                "bootstrap.servers": self.addresses.kafka.bootstrap, "transactional.id": self.name,
                "compression.type": "lz4", "linger.ms": 20, "batch.size": 2**20, "queue.buffering.max.messages": 10**6,
            }
        )  # fmt: skip
        producer.init_transactions(60)
        producer.begin_transaction()
        size, made, began, per_commit = 0, 0, time.monotonic(), max(rate // 5, 1) if rate else _PER_COMMIT
        for number, message in enumerate(forge.messages(ids, events, seed), 1):
            topic, partition = f"{self.name}.transaction", 0
            if message.order is not None:
                topic, partition = self.topic, message.order % self.partitions
                size, made = size + len(message.key) + len(message.value), made + 1
            while True:
                try:
                    producer.produce(topic, key=message.key, value=message.value, partition=partition)
                    break
                except BufferError:
                    producer.poll(0.5)
            if number % per_commit == 0:
                producer.commit_transaction(120)
                producer.begin_transaction()
                if rate:
                    time.sleep(max(0.0, began + made / rate - time.monotonic()))
        producer.commit_transaction(120)
        return size

    def register(self, forge: Forge) -> dict[str, int]:
        client = SchemaRegistryClient({"url": self.addresses.registry.url + CCOMPAT})
        schemas = {
            "key": (self.topic, forge.key_schema), "value": (self.topic, forge.value_schema),
            "end_key": (f"{self.name}.transaction", forge.end_key_schema),
            "end": (f"{self.name}.transaction", forge.end_schema),
        }  # fmt: skip
        return {
            what: int(client.register_schema(f"{topic}-{what}", Schema(json.dumps(schema), "AVRO")))
            for what, (topic, schema) in schemas.items()
        }

    def write_file(self, **consume: Any) -> None:
        table = {"source": TABLE, "key": ["order_id"], **self.settings}
        self.folder.joinpath("pipeline.yml").write_text(
            yaml.safe_dump(
                {
                    "version": 1, "source": {"connector": self.name, "topic_prefix": self.name},
                    "storage": {"prefix": f"bench/{self.name}"}, "consume": consume, "tables": [table],
                }
            )
        )  # fmt: skip


@contextmanager
def filled(
    addresses: Addresses, folder: Path, name: str, forge: Forge, events: int, partitions: int
) -> Iterator[Filled]:
    """Topics with `events` row events and their ENDs, empty raw tables; all of it removed in the end."""
    folder.mkdir(parents=True)
    with fresh_database(addresses.warehouse, name) as warehouse:
        made = Filled(name, folder, addresses, warehouse, partitions)
        made.write_file()
        admin = AdminClient({"bootstrap.servers": addresses.kafka.bootstrap})
        topics = {made.topic: partitions, f"{name}.transaction": 1, f"{name}.notification": 1}
        for future in admin.create_topics([NewTopic(t, num_partitions=n) for t, n in topics.items()]).values():
            future.result(30)
        with Session(warehouse, "bench") as session:
            raws = [
                RawTable.of_source(RAW, [source_column(column) for column in forge.fields], TABLE),
                RawTable.of_stream(raw.TRANSACTION_TABLE, raw.TRANSACTION),
                RawTable.of_stream(raw.NOTIFICATION_TABLE, raw.NOTIFICATION),
                RawTable.of_stream(raw.SCHEMA_CHANGE_TABLE, raw.SCHEMA_CHANGE),
            ]
            apply(session, plan(session, raws, []))
        print(f"producing {events:,} events into {partitions} partitions", file=sys.stderr)
        if events:
            made.produce(forge, made.register(forge), events)
        try:
            yield made
        finally:
            for future in admin.delete_topics(list(topics)).values():
                future.result(30)
            _forget_objects(addresses, name)


def _forget_objects(addresses: Addresses, name: str) -> None:
    client = ingest.bucket_client(addresses.s3)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=addresses.s3.bucket, Prefix=f"bench/{name}/"):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=addresses.s3.bucket, Key=found["Key"])

"""A MySQL database, a connector and topics of each test's own, and what the connector made of the rows."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import fastavro
import httpx
import pymysql
import pytest
from confluent_kafka import Consumer, TopicPartition

from connect.applying import Applied, Patience, apply
from connect.config import connector_config
from connect.rest import ConnectRest
from tests.servers import Servers
from tests.waiting import until
from waybill.addresses import Addresses


@dataclass
class Captured:
    """One database `shop_<name>` that a connector of its own captures; `schemas` are those of the topics, by id."""

    name: str
    addresses: Addresses
    servers: Servers
    rest: ConnectRest
    schemas: dict[int, Any] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return f"shop_{self.name}"

    @property
    def beats(self) -> str:
        return f"waybill_{self.name}"

    def config(self, *tables: str, **changes: str) -> dict[str, str]:
        """The product's own settings for these tables; `changes` with `__` for a dot."""
        config = connector_config(
            name=self.name, prefix=self.name, tables=[f"{self.database}.{table}" for table in tables],
            heartbeat=f"{self.beats}.heartbeat", signal=f"{self.beats}.signal",
            server_id=200_000 + zlib.crc32(self.name.encode()) % 1_000_000_000, partitions=2,
        )  # fmt: skip
        return {**config, **{key.replace("__", "."): value for key, value in changes.items()}}

    def start(self, config: dict[str, str]) -> Applied:
        return apply(self.rest, self.name, config, patience=Patience(total=100))

    def execute(self, *statements: str) -> None:
        """Each a transaction of its own, in a session that allows zero dates."""
        at = self.addresses.mysql
        connection = pymysql.connect(
            host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(), autocommit=True,
            init_command="SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'",
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("{db}", self.database).replace("{beats}", self.beats))

    def events(self, topic: str, count: int, seconds: float = 90) -> list[dict[str, Any]]:
        """The decoded values of a topic below the prefix, by partition and offset, once there are `count`."""
        full = f"{self.name}.{topic}"
        found: list[dict[str, Any]] = until(
            lambda: events if len(events := self._read(full)) >= count else [], f"{count} events in {full}", seconds,
            lambda: json.dumps(repr(self.rest.status(self.name)))[-3000:],
        )  # fmt: skip
        assert len(found) == count
        return found

    def after(self, table: str, count: int) -> dict[Any, dict[str, Any]]:
        """The newest image of each row of a table by its column id, once its topic holds `count` events."""
        rows: dict[Any, dict[str, Any]] = {}
        for event in self.events(f"{self.database}.{table}", count):
            image = event["after"] or event["before"]
            rows[image["id"]] = image
        return rows

    def _read(self, topic: str) -> list[dict[str, Any]]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.addresses.kafka.bootstrap, "group.id": self.name, "log_level": 0,
                "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )  # fmt: skip
        try:
            partitions = consumer.list_topics(topic, timeout=15).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            ends: set[int | None] = set()
            messages = []
            while len(ends) < len(partitions):
                message = consumer.poll(10)
                if message is None:
                    break
                if message.error():
                    ends.add(message.partition())
                else:
                    messages.append(message)
        finally:
            consumer.close()
        messages.sort(key=lambda message: (message.partition(), message.offset()))
        return [self._decoded(value) for message in messages if (value := message.value())]

    def _decoded(self, value: bytes) -> dict[str, Any]:
        assert value[0] == 0, "not the Confluent wire format"
        number = int.from_bytes(value[1:5], "big")
        if number not in self.schemas:
            answer = httpx.get(f"{self.addresses.registry.url}/apis/ccompat/v7/schemas/ids/{number}").json()
            assert not answer.get("references"), "a schema in pieces"
            self.schemas[number] = fastavro.parse_schema(json.loads(answer["schema"]))
        rest = io.BytesIO(value[5:])
        decoded = fastavro.schemaless_reader(rest, self.schemas[number], None)
        assert not rest.read(), "bytes are left over"
        assert isinstance(decoded, dict)
        return decoded


@pytest.fixture
def captured(stack: Addresses, fresh_name: str) -> Iterator[Captured]:
    """Empty databases; nothing of it is left in the end."""
    servers = Servers(stack, fresh_name)
    with ConnectRest(stack.connect.url) as rest:
        made = Captured(fresh_name, stack, servers, rest)
        made.execute(
            "CREATE DATABASE {db}",
            "CREATE DATABASE {beats}",
            "CREATE TABLE {beats}.heartbeat (id INT PRIMARY KEY, beat_at DATETIME(6) NULL, note VARCHAR(120) NULL)",
            "CREATE TABLE {beats}.`signal` (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048))",
        )
        try:
            yield made
        finally:
            if rest.config(fresh_name) is not None:
                rest.forget_offsets(fresh_name)
                rest.delete(fresh_name)
            servers.forget(fresh_name, [made.database, made.beats])

"""Real envelopes to measure with: recorded once from the connector on this stack, kept under build/bench/.

A pipeline of its own is seeded, streamed for some seconds while the generator writes, and removed again.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from consumers.decoder import HEADER
from consumers.registry import Registry
from tests.integration.ingest.workshop import read_topic
from tests.pipeline_on_stack import pipeline_on_stack
from waybill.addresses import Addresses

FOLDER = Path("build/bench")
_ORDERS, _SECONDS = 500, 15


@dataclass(frozen=True)
class Recorded:
    """Events of the orders table (insert, update and delete, with key) and one END record, with their schemas."""

    events: list[tuple[bytes, bytes]]
    end: tuple[bytes, bytes]
    schemas: dict[int, str]
    topic: str

    def schema_of(self, message: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.schemas[int.from_bytes(message[1:HEADER], "big")])
        return found


def recorded(addresses: Addresses) -> Recorded:
    """What was recorded; records it when it was not."""
    path, schemas = FOLDER / "orders.parquet", FOLDER / "orders.schemas.json"
    if not path.exists() or not schemas.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _record(addresses, path, schemas)
    table = pq.read_table(path).to_pydict()
    known = json.loads(schemas.read_text())
    messages = list(zip(table["key"], table["value"], strict=True))
    return Recorded(
        messages[1:], messages[0], {int(number): text for number, text in known["schemas"].items()}, known["topic"]
    )


def _record(addresses: Addresses, path: Path, schemas: Path) -> None:
    name = f"bench{int(time.time()) % 100_000_000}"
    with tempfile.TemporaryDirectory() as folder, pipeline_on_stack(name, Path(folder), addresses) as pipeline:
        pipeline.seed(_ORDERS)
        pipeline.does("schema", "apply")
        pipeline.does("connect", "apply", seconds=300)
        pipeline.generate(200, _SECONDS).wait(600)
        topic = f"{name}.{pipeline.orders}.ecs_order_info"
        limit = time.monotonic() + 300
        while True:
            read = [(m.key(), m.value()) for m in read_topic(addresses.kafka.bootstrap, topic)]
            events = [message for message in read[_ORDERS:] if message[1]]
            if len(events) >= 200 or time.monotonic() > limit:
                break
            time.sleep(3)
        assert events, "the connector wrote no events of the orders"
        ends = read_topic(addresses.kafka.bootstrap, f"{name}.transaction")
        end = max(((m.key(), m.value()) for m in ends), key=lambda message: len(message[1]))
        registry = Registry(addresses.registry.url)
        ids = {int.from_bytes(data[1:HEADER], "big") for message in (*events, end) for data in message}
        schemas.write_text(json.dumps({"topic": topic, "schemas": {i: registry.text(i) for i in sorted(ids)}}))
    every = [end, *events]
    pq.write_table(
        pa.table({"key": pa.array([k for k, _ in every], pa.binary()), "value": pa.array([v for _, v in every])}), path
    )

"""Records real Debezium messages of the three tables and the transaction topic, with their schemas.

Once, from the stack: .venv/bin/python -m tests.fuzz.record    writes tests/fuzz/recorded.json.xz. Run it again when
connector settings change what the messages look like.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
import tempfile
from pathlib import Path
from typing import Any

from tests.integration.ingest.truth import TABLES
from tests.integration.ingest.workshop import read_topic
from tests.pipeline_on_stack import ROOT, PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

FILE = Path(__file__).parent / "recorded.json.xz"
NAME = "tfuzzrec"
MOST = 150  # messages of one table, streamed and of the snapshot each
UUID = b"3e11fa47-71ca-11e1-9e33-c80aa9429562"  # in the place of the recording server's own
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=:[0-9])")


def main() -> None:
    addresses = Addresses.load(ROOT)
    with tempfile.TemporaryDirectory() as folder, pipeline_on_stack(NAME, Path(folder), addresses) as pipeline:
        pipeline.seed(20)
        pipeline.does("schema", "apply")
        pipeline.does("connect", "apply", seconds=150)
        writer = pipeline.generate(rate=60, seconds=20)
        writer.wait(120)
        until(
            lambda: all(len(found) > 60 for found in _streamed(pipeline).values()),
            "streamed messages",
            120,
            pipeline.ends_of_logs,
        )
        recorded = _recorded(pipeline, addresses)
    FILE.write_bytes(lzma.compress(json.dumps(recorded).encode(), preset=9))
    print({table: len(found) for table, found in recorded["messages"].items()}, FILE.stat().st_size, "bytes")


def _read(pipeline: PipelineOnStack, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    found = read_topic(pipeline.servers.addresses.kafka.bootstrap, f"{pipeline.name}.{topic}")
    return [(message.key(), message.value()) for message in found]


def _streamed(pipeline: PipelineOnStack) -> dict[str, list[Any]]:
    return {
        table: [m for m in _read(pipeline, f"{pipeline.orders}.{table}") if _UUID.search(m[1] or b"")]
        for table in TABLES
    }


def _recorded(pipeline: PipelineOnStack, addresses: Addresses) -> dict[str, Any]:
    from consumers.registry import Registry

    streamed = _streamed(pipeline)
    messages = {}
    for table, found in streamed.items():
        whole = [m for m in _read(pipeline, f"{pipeline.orders}.{table}") if m not in found]
        messages[table] = whole[: MOST // 3] + found[:MOST]
    messages["transaction"] = [m for m in _read(pipeline, "transaction") if m[1]][:MOST]
    registry = Registry(addresses.registry.url)
    ids = {int.from_bytes(data[1:5], "big") for pairs in messages.values() for pair in pairs for data in pair if data}
    return {
        "database": pipeline.orders,
        "schemas": {str(i): registry.text(i) for i in sorted(ids)},
        "messages": {
            table: [[None if d is None else _text(d) for d in pair] for pair in found]
            for table, found in messages.items()
        },
    }  # fmt: skip


def _text(data: bytes) -> str:
    return base64.b64encode(_UUID.sub(UUID, data)).decode()


if __name__ == "__main__":
    main()

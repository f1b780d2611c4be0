"""The native decoder and fastavro make the same values of over 100,000 real events of every type."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.decoder import Decoded, FastavroDecoder
from consumers.native_decoder import NativeDecoder
from consumers.registry import Registry
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.integration.ingest.workshop import read_topic
from tests.integration.types.conftest import BULK, EVERY, written
from tests.integration.types.every_type import COLUMNS, ROWS, inserts
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

EVENTS = 100_000
_AT_ONCE = 10_000


class Refusing(FastavroDecoder):
    """A reference that must not be needed."""

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        raise AssertionError("the native decoder did not decode a real event by itself")


def topic(pipeline: PipelineOnStack, table: str) -> str:
    return f"{pipeline.name}.{pipeline.orders}.{table}"


def messages(pipeline: PipelineOnStack, table: str) -> list[bytes]:
    found = read_topic(pipeline.servers.addresses.kafka.bootstrap, topic(pipeline, table))
    return [bytes(message.value() or b"") for message in found]


def assert_alike(pipeline: PipelineOnStack, values: Sequence[bytes]) -> int:
    """Both decoders give equal tables of these values; how many they were."""
    registry = Registry(pipeline.servers.addresses.registry.url)
    native, plain = NativeDecoder(Refusing()), FastavroDecoder()
    by_schema: dict[int, list[bytes]] = {}
    for value in values:
        by_schema.setdefault(int.from_bytes(value[1:5], "big"), []).append(value)
    for number, same in by_schema.items():
        schema = WriterSchema(number, registry.text(number))
        for start in range(0, len(same), _AT_ONCE):
            part = same[start : start + _AT_ONCE]
            left, right = native.decode(schema, Shape.ROWS, part), plain.decode(schema, Shape.ROWS, part)
            assert (left.bad, right.bad) == ({}, {})
            assert left.table.equals(right.table)
    return len(values)


def test_both_decoders_make_the_same_of_a_hundred_thousand_events(carried: PipelineOnStack) -> None:
    # Long texts only in the first rows: a hundred thousand of them would be ten gigabytes.
    names = ", ".join(f"`{column.name}`" for column in COLUMNS if column.name not in ("novel", "photo"))
    times = EVENTS // ROWS + 1
    written(carried, "+00:00", [
        *inserts(BULK, COLUMNS, 1),
        "SET SESSION cte_max_recursion_depth = 1000000",
        f"INSERT INTO {BULK} (id, happened_at, {names}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {times}) SELECT n.i * {ROWS} + b.id, n.i, {names} FROM n JOIN {BULK} b",
        f"UPDATE {BULK} SET vc = 'changed', js = '[0.1]', twofold = 1e-300 WHERE id % 40 = 0",
        f"DELETE FROM {BULK} WHERE id % 100 = 7",
    ])  # fmt: skip
    (rows,) = carried.servers.mysql(f"SELECT count(*) FROM `{carried.orders}`.{BULK}")[0]
    expected = rows + 2 * ((times + 1) * ROWS - rows) + (times + 1) * ROWS // 40
    values: list[bytes] = until(
        lambda: found if len(found := messages(carried, BULK)) >= expected else [], f"{expected} events", 600,
        carried.ends_of_logs,
    )  # fmt: skip
    assert assert_alike(carried, values) >= EVENTS


def test_both_decoders_make_the_same_of_long_texts_and_snapshots(carried: PipelineOnStack) -> None:
    assert assert_alike(carried, messages(carried, EVERY)) >= 2 * ROWS

"""Every MySQL type comes to raw exactly, by the first snapshot and by the stream, and the proof agrees."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from connect.signals import read_again
from tests.integration.types.conftest import EVERY, SERVER_ZONE, SNAPSHOT, STREAM, ZONES, loaded, server_zone
from tests.integration.types.every_type import COLUMNS, MYSQL, ROWS, Local, planted
from tests.pipeline_on_stack import PipelineOnStack


def raw(pipeline: PipelineOnStack, first: int, op: str) -> list[dict[str, Any]]:
    """The rows by id from `first` on that came as `op`; bytes as bytes."""
    # A real is read as the double it is: its own text is cut.
    names = ", ".join(
        f'"{c.name}"::double precision' if c.definition.startswith("float") else f'"{c.name}"' for c in COLUMNS
    )
    rows = pipeline.servers.rows(
        f'SELECT {names} FROM settlement_public.{EVERY}_raw WHERE id BETWEEN %s AND %s AND "_op" = %s ORDER BY id',
        first, first + ROWS - 1, op,
    )  # fmt: skip
    plain = [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows]
    return [dict(zip((column.name for column in COLUMNS), row, strict=True)) for row in plain]


def wanted(pipeline: PipelineOnStack, first: int) -> list[dict[str, Any]]:
    """What was planted, moments in UTC, JSON in MySQL's own words."""
    written = pipeline.servers.mysql(
        f"SELECT CAST(js AS CHAR) FROM `{pipeline.orders}`.{EVERY} WHERE id >= %s ORDER BY id LIMIT %s", first, ROWS
    )
    return [
        {name: _value(value, ZONES[first], text) for name, value in planted(COLUMNS, row).items()}
        for row, (text,) in enumerate(written)
    ]


def _value(value: Any, zone: str, text: str) -> Any:
    if value is MYSQL:
        return text
    if isinstance(value, Local):
        return value.moment - timedelta(hours=int(zone[:3]))
    return value


def same(found: Any, value: Any) -> bool:
    """Equal in type and value; minus zero is not zero."""
    if isinstance(found, float) and isinstance(value, float):
        return found == value and math.copysign(1, found) == math.copysign(1, value)
    return type(found) is type(value) and bool(found == value)


@pytest.mark.parametrize(("first", "op"), [(SNAPSHOT, "r"), (STREAM, "c")], ids=["snapshot", "stream"])
def test_every_value_of_every_type_is_exact_in_raw(carried: PipelineOnStack, first: int, op: str) -> None:
    assert_exact(carried, first, op)


def test_every_value_that_an_incremental_snapshot_reads_is_exact_in_raw(carried: PipelineOnStack) -> None:
    with server_zone(carried, SERVER_ZONE):
        read_again(carried.servers.addresses.mysql, f"{carried.beats}.signal", [f"{carried.orders}.{EVERY}"])
        # No first snapshot has read these: they were written after it.
        loaded(carried, STREAM, "r")
    assert_exact(carried, STREAM, "r")


def assert_exact(carried: PipelineOnStack, first: int, op: str) -> None:
    found, expected = raw(carried, first, op), wanted(carried, first)
    assert len(found) == len(expected) == ROWS
    wrong = [
        f"{name} of row {first + row}: {str(found[row][name])[:200]!r}, not {str(value)[:200]!r}"
        for row, values in enumerate(expected)
        for name, value in values.items()
        if not same(found[row][name], value)
    ]
    assert not wrong, "\n".join(wrong)


def test_mysql_and_the_mart_make_the_same_checksum_of_every_type(carried: PipelineOnStack) -> None:
    consumer = carried.beside("consume")
    carried.first_snapshot()
    carried.drain()
    assert consumer.terminate() == 0
    proof = carried.reconcile()
    unlike = [t["table"] for t in proof["tables"] if t["checksum"]["mysql"] != t["checksum"]["mart"]]
    assert (unlike, sum(t["respelled"] for t in proof["tables"])) == ([], 0)
    assert {t["rows"]["mart"] for t in proof["tables"] if t["table"].endswith(EVERY)} == {2 * ROWS}

"""What the messages of one schema become: rows of a raw table, bad messages, or a reason to stop.

A shape takes what the decoder made (one row a message, as on the wire) and answers the raw table's columns
behind those of the message. Everything here is done on whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from consumers.streams import Stream
from consumers.writer_schema import WriterSchema
from waybill.source_changes.history import NO_MOMENT, Moment


@dataclass
class Wire:
    """Messages of one value schema: `values` and `keys` have one row a message. `keys` is None when they have none."""

    stream: Stream
    schema: WriterSchema
    values: pa.Table
    keys: pa.Table | None


@dataclass
class Shaped:
    """`rows` has the raw columns; `origins` the wire row each came from; `bad` an error by wire row."""

    rows: pa.Table
    origins: list[int]
    bad: dict[int, str] = field(default_factory=dict)
    truncated: int | None = None
    truncated_at: Moment = NO_MOMENT


Shaping = Callable[[Wire], Shaped]


def places(rows: list[int]) -> pa.Array:
    """Row numbers to take; an empty list has no type of its own."""
    return pa.array(rows, pa.int64())


def same_keys(wire: Wire, columns: Mapping[str, str]) -> list[tuple[pa.ChunkedArray, str]]:
    """One check a key column: the value carries what the key's bytes say. `columns`: key field -> wire column."""
    if wire.keys is None:
        return [(pa.chunked_array([pa.repeat(False, wire.values.num_rows)]), "the message has no key")]
    if not wire.keys.column_names:
        return [(pa.chunked_array([pa.repeat(False, wire.values.num_rows)]), "the key has no columns")]
    checks = []
    for name in wire.keys.column_names:
        key = wire.keys[name]
        column = columns.get(name)
        if column is None or column not in wire.values.column_names:
            return [(pa.chunked_array([pa.repeat(False, len(key))]), f"the value has no key column {name!r}")]
        value = wire.values[column]
        if pa.types.is_integer(value.type) and pa.types.is_integer(key.type):
            value, key = value.cast(pa.int64()), key.cast(pa.int64())
        elif value.type != key.type:
            return [(pa.chunked_array([pa.repeat(False, len(key))]), f"key column {name!r} is no {value.type}")]
        equal = pc.or_(pc.fill_null(pc.equal(value, key), False), pc.and_(pc.is_null(value), pc.is_null(key)))
        checks.append((equal, f"key column {name!r} of the value differs from the key's bytes"))
    return checks


def failures(checks: list[tuple[pa.ChunkedArray, str]]) -> dict[int, str]:
    """By row the first check that fails; empty when all hold, which is the fast way out."""
    found: dict[int, str] = {}
    for holds, text in checks:
        if pc.all(holds).as_py() is not False:
            continue
        for row, good in enumerate(holds.to_pylist()):
            if not good:
                found.setdefault(row, text)
    return found

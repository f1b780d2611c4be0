"""Avro to Arrow: messages of one schema at a time, a whole micro-batch at once.

`Decoder` is the seam between ways to decode. fastavro is the reference: what it refuses is a bad message.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import fastavro
import pyarrow as pa

from consumers.streams import Shape
from consumers.writer_schema import WireColumn, WriterSchema

_OBJECT = re.compile(r" from <[^>]*>")  # fastavro names the object it read from
HEADER = 5  # bytes before the datum: magic 0 and the schema's id


@dataclass(frozen=True)
class Decoded:
    """`table` has one row a good message, in order, and one column a wire column of the schema.

    `good` are the indexes of the good messages among those given; `bad` the error of each other.
    """

    table: pa.Table
    good: list[int]
    bad: dict[int, str]


class Decoder(Protocol):
    """Decodes messages of one schema; `shape` None means keys."""

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        """`messages` with their five bytes of header. Raises `WrongSchemaError` when the schema has not that shape."""


class FastavroDecoder:
    """One message at a time, every one of them refused or taken on its own."""

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        columns = schema.wire_columns(shape)
        records: list[Any] = []
        good: list[int] = []
        bad: dict[int, str] = {}
        read, parsed, stream = fastavro.schemaless_reader, schema.parsed, io.BytesIO
        for index, message in enumerate(messages):
            data = stream(message)
            data.seek(HEADER)
            try:
                record = read(data, parsed, None)
            except Exception as error:  # noqa: BLE001 (fastavro promises no particular errors for bad input)
                bad[index] = _OBJECT.sub("", f"{type(error).__name__}: {error}".strip(": "))[:1000]
                continue
            if data.tell() != len(message):
                bad[index] = f"the datum ends {len(message) - data.tell()} bytes before the message does"
                continue
            records.append(record)
            good.append(index)
        try:
            return Decoded(_table(columns, records), good, bad)
        except _NO_COLUMN:
            return _one_by_one(columns, records, good, bad)


_NO_COLUMN = (pa.ArrowException, ValueError, TypeError, OverflowError, KeyError)


def _one_by_one(columns: Sequence[WireColumn], records: list[Any], good: list[int], bad: dict[int, str]) -> Decoded:
    """The same, finding the records that have a value no column of their Avro type can hold."""
    kept: list[Any] = []
    left: list[int] = []
    for index, record in zip(good, records, strict=True):
        try:
            _table(columns, [record])
        except _NO_COLUMN as error:
            bad[index] = f"{type(error).__name__}: {error}"[:1000]
            continue
        kept.append(record)
        left.append(index)
    return Decoded(_table(columns, kept), left, bad)


def _table(columns: Sequence[WireColumn], records: list[Any]) -> pa.Table:
    arrays: list[pa.Array] = []
    blocks: dict[str, list[Any]] = {}
    for column in columns:
        if len(column.path) == 1:
            found: Iterable[Any] = map(itemgetter(column.path[0]), records)
        else:
            block, name = column.path
            if block not in blocks:
                blocks[block] = _images(records) if block == "row" else [record[block] for record in records]
            inner = blocks[block]
            found = _inside(inner, name)
        arrays.append(pa.array(list(found), column.type))
    return pa.table(arrays, names=[column.name for column in columns])


def _images(records: list[Any]) -> list[Any]:
    return [record["before"] if record["op"] == "d" else record["after"] for record in records]


def _inside(records: list[Any], name: str) -> Iterable[Any]:
    try:
        return list(map(itemgetter(name), records))
    except TypeError:  # some record has no such block
        return [None if record is None else record[name] for record in records]

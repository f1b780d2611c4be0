"""From a value on the wire to its exact Arrow type, a column at a time. The types are those of `waybill.types`.

Source: Debezium documentation, "MySQL connector: data type mappings", with the settings of `connect/`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consumers.writer_schema import RowColumn
from waybill.types import Kind, SourceColumn, decimal_shape, integer_bits

MICROS = pa.timestamp("us")
_INTEGERS = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
_UNITS = {
    "io.debezium.time.Timestamp": "ms",
    "io.debezium.time.MicroTimestamp": "us",
    "io.debezium.time.NanoTimestamp": "ns",
}
# What conversions raise for a value that its type cannot hold.
REFUSED = (pa.ArrowException, ValueError, TypeError, OverflowError, binascii.Error)


def arrow_type(column: SourceColumn) -> pa.DataType:
    """The type of a source column in the Parquet objects. Raises KeyError for one that cannot be carried."""
    kind = column.kind
    if kind in (Kind.DECIMAL, Kind.UNSIGNED_BIGINT, Kind.BITS):
        shape = decimal_shape(column)
        if shape:
            return pa.decimal128(*shape)
        return pa.int64() if kind is Kind.BITS else pa.string()
    return _INTEGERS[integer_bits(column)] if kind is Kind.INTEGER else _TYPES[kind]


_TYPES = {
    Kind.REAL: pa.float32(),
    Kind.DOUBLE: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.BINARY: pa.binary(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.int64(),
    Kind.DATETIME: MICROS,
    Kind.TIMESTAMP: MICROS,
    Kind.JSON: pa.string(),
}


def convert(column: RowColumn, wire: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column's values in their exact type; NULL stays NULL. Raises one of `REFUSED` for what does not fit."""
    wanted = arrow_type(column.source)
    match column.source.kind:
        case Kind.UNSIGNED_BIGINT:
            # The long carries the unsigned value's bits: read them as what they are.
            return _each_chunk(wire, lambda a: a.cast(pa.int64()).view(pa.uint64()).cast(wanted))
        case Kind.DATETIME:
            unit = _UNITS.get(column.connect_name)
            if unit is None:
                raise ValueError(f"{column.source.name}: no unit is known for {column.connect_name!r}")
            return _each_chunk(wire, lambda a: a.view(pa.timestamp(unit)).cast(wanted))
        case Kind.TIMESTAMP:
            return wire.cast(pa.timestamp("us", "UTC")).cast(wanted)
        case Kind.DATE:
            return wire.cast(pa.int32()).cast(wanted)
        case Kind.BINARY:
            return _each_value(wire, lambda v: base64.b64decode(v, validate=True), wanted)
        case Kind.BITS:
            return _each_value(wire, lambda v: int.from_bytes(v, "little"), pa.uint64()).cast(wanted)
        case _:
            return wire.cast(wanted)


def micros(wire: pa.ChunkedArray, unit: str) -> pa.ChunkedArray:
    """Integers since 1970 in `unit` as UTC timestamps in microseconds."""
    return _each_chunk(wire, lambda a: a.cast(pa.int64()).view(pa.timestamp(unit)).cast(MICROS))


def gtid_numbers(gtids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The number of each GTID; NULL for what is not one GTID."""
    pattern = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:(?:[a-z_][a-z0-9_]*:)?(?P<n>[1-9][0-9]{0,18})$"
    found = pc.extract_regex(gtids, pattern)
    return pc.struct_field(found, "n").cast(pa.int64())


def _each_chunk(wire: pa.ChunkedArray, function: Callable[[Any], Any]) -> pa.ChunkedArray:
    if not wire.num_chunks:
        return pa.chunked_array([function(pa.array([], wire.type))])
    return pa.chunked_array([function(chunk) for chunk in wire.chunks])


def _each_value(wire: pa.ChunkedArray, function: Callable[[Any], Any], wanted: pa.DataType) -> pa.ChunkedArray:
    made = [None if value is None else function(value) for value in wire.to_pylist()]
    return pa.chunked_array([pa.array(made, wanted)])

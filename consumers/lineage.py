"""waybill's own columns as Arrow: the types of `waybill.raw`, and those columns a whole batch shares."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from waybill import raw
from waybill.positions import Position
from waybill.raw import RawColumn

_TYPES = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}
# Known message by message; the others of `raw.MESSAGE` are one value for a whole batch.
PER_MESSAGE = ("_offset", "_produced_at", "_schema_id")
OWN = frozenset(column.name for column in (*raw.MESSAGE, *raw.EVENT, raw.LOADED_AT))


def arrow_type(column: RawColumn) -> pa.DataType:
    """The type in the Parquet objects."""
    return _TYPES[column.type.split("(")[0]]


def shaped(table: pa.Table, columns: Iterable[RawColumn]) -> pa.Table:
    """The named columns of a table, in that order, in their own types. Raises ArrowInvalid for what does not fit."""
    chosen = list(columns)
    return pa.table(
        [table[column.name].cast(arrow_type(column)) for column in chosen], names=[column.name for column in chosen]
    )


def attach(table: pa.Table, position: Position, batch_id: int) -> pa.Table:
    """Put the columns of `raw.MESSAGE` in front: those of the batch beside those of each message."""
    shared = {
        "_topic": position.topic,
        "_topic_id": position.topic_id,
        "_partition": position.partition,
        "_generation": position.generation,
        "_batch_id": batch_id,
    }
    arrays, names = [], []
    for column in raw.MESSAGE:
        own = column.name in shared
        arrays.append(
            pa.chunked_array([pa.repeat(pa.scalar(shared[column.name], arrow_type(column)), table.num_rows)])
            if own
            else table[column.name]
        )
        names.append(column.name)
    for name in table.column_names:
        if name not in PER_MESSAGE:
            arrays.append(table[name])
            names.append(name)
    return pa.table(arrays, names=names)

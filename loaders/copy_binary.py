"""Arrow to PostgreSQL's binary COPY, by pgpq (Rust): the fast way, for columns whose table has the very type.

Binary COPY converts nothing: an int16 for an integer column is refused. So it is chosen by the table's own types;
whole numbers are widened here, and an object with any other difference goes by CSV, which PostgreSQL parses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pgpq
import pyarrow as pa

from loaders.copy_text import without_nul

OPTIONS = "FORMAT binary"
_ROWS = 8_192
_WIDTHS = {"int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64()}
# By PostgreSQL's name of the type.
_SAME = {
    "bool": pa.bool_(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def wanted(schema: pa.Schema, types: Mapping[str, str]) -> pa.Schema | None:
    """The schema in which the rows fit a table with these types; None when they have to go by CSV."""
    fields = []
    for field in schema:
        kind = _kind(field.type, types.get(field.name, ""))
        if kind is None:
            return None
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _kind(kind: pa.DataType, name: str) -> pa.DataType | None:
    if name == "numeric":
        return kind if pa.types.is_decimal128(kind) else None
    if name in _WIDTHS:
        width = _WIDTHS[name]
        return width if pa.types.is_signed_integer(kind) and kind.bit_width <= width.bit_width else None
    return kind if _SAME.get(name) == kind else None


def chunks(tables: Sequence[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """The rows of tables with equal columns, cast to `schema`, in pieces of some thousand rows."""
    encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
    yield encoder.write_header()
    for table in tables:
        columns = [
            without_nul(field.name, column) if pa.types.is_string(field.type) else column.cast(field.type)
            for field, column in zip(schema, table.columns, strict=True)
        ]
        for batch in pa.table(columns, schema=schema).to_batches(_ROWS):
            yield encoder.write_batch(batch)
    yield encoder.finish()

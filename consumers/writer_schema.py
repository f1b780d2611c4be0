"""An Avro schema that messages were written with, and what of it is wanted as columns.

A *wire column* is one leaf of the schema as it travels: its path, and the Arrow type that holds every value of
its Avro type. `row` in a path stands for the image that is the row: `before` of a delete, `after` of all else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import fastavro
import pyarrow as pa

from consumers.source_columns import connect_name, source_column, value_schema
from consumers.streams import Shape
from waybill.types import SourceColumn

_PRIMITIVES = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "bytes": pa.binary(),
    "enum": pa.string(),
    "fixed": pa.binary(),
}
_SOURCE = ("db", "table", "ts_ms", "ts_us", "snapshot", "server_id", "gtid", "file", "pos", "row")
_TRANSACTION = ("id", "total_order", "data_collection_order")
_STATEMENT = ("db", "ts_ms", "ts_us", "snapshot", "gtid", "file", "pos")
_COLLECTIONS = pa.list_(pa.struct({"data_collection": pa.string(), "event_count": pa.int64()}))
_COLUMN = pa.struct(
    {
        "name": pa.string(), "typeName": pa.string(), "charsetName": pa.string(), "length": pa.int32(),
        "scale": pa.int32(), "optional": pa.bool_(), "comment": pa.string(), "defaultValueExpression": pa.string(),
        "enumValues": pa.list_(pa.string()),
    }
)  # fmt: skip
_CHANGES = pa.list_(
    pa.struct({"type": pa.string(), "id": pa.string(), "table": pa.struct({"columns": pa.list_(_COLUMN)})})
)
_NESTED = {
    "data_collections": _COLLECTIONS,
    "additional_data": pa.map_(pa.string(), pa.string()),
    "tableChanges": _CHANGES,
}


class WrongSchemaError(ValueError):
    """The schema is not of the shape that the topic's messages have."""


@dataclass(frozen=True)
class WireColumn:
    """One leaf: `name` is its path joined by dots."""

    path: tuple[str, ...]
    type: pa.DataType

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class RowColumn:
    """One column of the source's row: where it comes from on the wire, and what it means."""

    wire: WireColumn
    source: SourceColumn
    connect_name: str


class WriterSchema:
    """One schema of the registry, parsed once."""

    def __init__(self, schema_id: int, text: str) -> None:
        self.id = schema_id
        self.declared: dict[str, Any] = json.loads(text)
        self.parsed = fastavro.parse_schema(json.loads(text))

    def wire_columns(self, shape: Shape | None) -> tuple[WireColumn, ...]:
        """What is wanted of a value of this shape; of a key (None), all of it. Raises `WrongSchemaError`."""
        if shape is Shape.ROWS:
            return self._envelope_columns
        if shape is Shape.SCHEMA_CHANGES:
            return self._statement_columns
        return self._plain_columns

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The top record's fields by name."""
        if not isinstance(self.declared, dict) or self.declared.get("type") != "record":
            raise WrongSchemaError(f"schema {self.id} is not a record")
        return {field["name"]: field for field in self.declared["fields"]}

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        """The source's columns in their order. Raises `WrongSchemaError`, or ValueError for one of unknown type."""
        image = self._record("before")
        return tuple(
            RowColumn(_wire(("row", field["name"]), field), source_column(field), connect_name(field))
            for field in image["fields"]
        )

    @cached_property
    def _plain_columns(self) -> tuple[WireColumn, ...]:
        return tuple(_wire((name,), field) for name, field in self.fields.items())

    @cached_property
    def _envelope_columns(self) -> tuple[WireColumn, ...]:
        columns = [_wire(("op",), self._field(self.fields, "op"))]
        for block, names in (("source", _SOURCE), ("transaction", _TRANSACTION)):
            inner = {field["name"]: field for field in self._record(block)["fields"]}
            columns += [_wire((block, name), self._field(inner, name)) for name in names]
        return (*columns, *(column.wire for column in self.row_columns))

    @cached_property
    def _statement_columns(self) -> tuple[WireColumn, ...]:
        columns = [_wire((name,), self._field(self.fields, name)) for name in ("databaseName", "ddl", "tableChanges")]
        inner = {field["name"]: field for field in self._record("source")["fields"]}
        return (*columns, *(_wire(("source", name), self._field(inner, name)) for name in _STATEMENT))

    def _record(self, name: str) -> dict[str, Any]:
        found, _ = value_schema(self._field(self.fields, name)["type"])
        if not isinstance(found, dict) or found.get("type") != "record":
            raise WrongSchemaError(f"schema {self.id} is not a row envelope: {name!r} is not a record")
        return found

    def _field(self, fields: dict[str, Any], name: str) -> dict[str, Any]:
        if name not in fields:
            raise WrongSchemaError(f"schema {self.id} has no field {name!r}")
        found: dict[str, Any] = fields[name]
        return found


def _wire(path: tuple[str, ...], field: dict[str, Any]) -> WireColumn:
    inner, _ = value_schema(field["type"])
    kind = inner["type"] if isinstance(inner, dict) else inner
    if kind in ("array", "map") and path[-1] in _NESTED:
        return WireColumn(path, _NESTED[path[-1]])
    if not isinstance(kind, str) or kind not in _PRIMITIVES:
        raise WrongSchemaError(f"field {'.'.join(path)!r} has a type that no column can have: {kind!r}")
    return WireColumn(path, _PRIMITIVES[kind])

"""The fast decoder: pyruhvro (Rust) turns messages into Arrow at once, some twenty times as fast as fastavro.

fastavro stays the judge: it decodes the schemas that pyruhvro cannot, and finds the bad messages of a batch that
pyruhvro refuses. pyruhvro would let some damage pass, so each datum is followed by a guard of known text (it shows
a datum that ends too early or too late), texts are checked to be UTF-8, and Avro's int is read as a long, whose
encoding is the same, because an int out of range would be cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# A panic would print a trace of Rust's.
os.environ.setdefault("RUST_BACKTRACE", "0")

import pyruhvro

from consumers.decoder import HEADER, Decoded, Decoder
from consumers.streams import Shape
from consumers.writer_schema import WireColumn, WriterSchema

_PLAIN = {"null", "boolean", "int", "long", "float", "double", "string"}
_GUARD = "waybill!"
_GUARD_BYTES = bytes([2 * len(_GUARD)]) + _GUARD.encode()
_FEW = 64  # messages that are not worth another try as two halves
_DELETE = "d"


@dataclass(frozen=True)
class _Guarded:
    """A schema as pyruhvro is given it, and how many bytes at the front of a message it does not know."""

    text: str
    cut: int


class UnsupportedError(Exception):
    """A schema with a type on which pyruhvro panics, or which it reads in another way."""


class NativeDecoder:
    """Gives what `reference` gives, faster. Keeps the translated schemas."""

    def __init__(self, reference: Decoder) -> None:
        self._reference = reference
        self._guarded: dict[int, _Guarded | None] = {}

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        columns = schema.wire_columns(shape)
        guarded = self._translated(schema)
        # Statements are few and deeply nested: the reference reads them.
        if guarded is None or not messages or shape is Shape.SCHEMA_CHANGES:
            return self._reference.decode(schema, shape, messages)
        table = _table(columns, guarded, messages)
        if table is not None:
            return Decoded(table, list(range(len(messages))), {})
        if len(messages) <= _FEW:
            return self._reference.decode(schema, shape, messages)
        middle = len(messages) // 2
        first = self.decode(schema, shape, messages[:middle])
        second = self.decode(schema, shape, messages[middle:])
        return Decoded(
            pa.concat_tables([first.table, second.table]),
            first.good + [middle + index for index in second.good],
            first.bad | {middle + index: text for index, text in second.bad.items()},
        )

    def _translated(self, schema: WriterSchema) -> _Guarded | None:
        """The schema with its guard; None when pyruhvro must not see it."""
        if schema.id not in self._guarded:
            try:
                datum = _widened(schema.declared, set())
            except UnsupportedError:
                self._guarded[schema.id] = None
            else:
                fields = [{"name": "datum", "type": datum}, {"name": "guard", "type": "string"}]
                # Each byte under 128 is an Avro long by itself: read with the rest, the header need not be cut off.
                header = b"\0" + schema.id.to_bytes(HEADER - 1, "big")
                cut = HEADER if max(header) > 127 else 0
                if not cut:
                    fields = [{"name": f"header{place}", "type": "long"} for place in range(HEADER)] + fields
                text = json.dumps({"type": "record", "name": "WaybillGuarded", "namespace": "", "fields": fields})
                self._guarded[schema.id] = _Guarded(text, cut)
        return self._guarded[schema.id]


def _widened(schema: Any, named: set[str]) -> Any:
    """The schema with long for int, and nothing but what pyruhvro needs. Raises `UnsupportedError`."""
    if isinstance(schema, list):
        others = [branch for branch in schema if branch != "null"]
        if len(others) > 1:
            raise UnsupportedError
        return [branch if branch == "null" else _widened(branch, named) for branch in schema]
    if isinstance(schema, str):
        if schema in _PLAIN:
            return "long" if schema == "int" else schema
        # A name: of a record that was declared before. Recursive records never get here twice.
        if schema.rpartition(".")[2] in named:
            return schema
        raise UnsupportedError
    if "logicalType" in schema:
        raise UnsupportedError
    match schema["type"]:
        case "record":
            fields = [{"name": f["name"], "type": _widened(f["type"], named)} for f in schema["fields"]]
            named.add(schema["name"].rpartition(".")[2])
            return {k: schema[k] for k in ("type", "name", "namespace") if k in schema} | {"fields": fields}
        case "array":
            return {"type": "array", "items": _widened(schema["items"], named)}
        case "map":
            return {"type": "map", "values": _widened(schema["values"], named)}
        case inner:
            return _widened(inner, named)


def _table(columns: Sequence[WireColumn], guarded: _Guarded, messages: Sequence[bytes]) -> pa.Table | None:
    """The wire columns; None when something in these messages is not as it should be."""
    try:
        cut = guarded.cut
        data = [message[cut:] + _GUARD_BYTES for message in messages]
        batch = pyruhvro.deserialize_array(data, guarded.text)
        batch.validate(full=True)
        if not pc.all(pc.equal(batch.column("guard"), _GUARD)).as_py():
            return None
        datum = batch.column("datum")
        blocks: dict[str, Any] = {}
        arrays = [_column(datum, column, blocks) for column in columns]
        return pa.table(arrays, names=[column.name for column in columns])
    except (ValueError, pa.ArrowException):
        return None
    except BaseException as error:
        # Rust's panic is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        return None


def _column(datum: pa.StructArray, column: WireColumn, blocks: dict[str, Any]) -> pa.Array:
    """One leaf. `struct_field` gives NULL where a block is NULL."""
    if column.path[0] != "row":
        return pc.struct_field(datum, list(column.path)).cast(column.type)
    name = column.path[1]
    after = pc.struct_field(datum, ["after", name])
    if "deleted" not in blocks:
        deleted = pc.equal(pc.struct_field(datum, "op"), _DELETE)
        blocks["deleted"] = deleted if pc.any(deleted).as_py() else None
    if blocks["deleted"] is not None:
        after = pc.if_else(blocks["deleted"], pc.struct_field(datum, ["before", name]), after)
    return after.cast(column.type)

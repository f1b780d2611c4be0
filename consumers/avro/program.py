"""What the native decoder does with a datum of one schema: a flat program of the instructions that `decode.c` knows.

They stand in the order of the datum's bytes. Records vanish (their fields follow each other), an array or map is a
loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from consumers.avro.layout import Layout, UnsupportedError, Wanted
from consumers.writer_schema import WireColumn

_DEEPEST = 8  # arrays and maps within each other; DEEPEST in decode.c
_NESTED = 64  # records, optional values, arrays and maps within each other
_LONGEST = 50_000  # parts of a schema: where records stand in each other again and again they double with each level


class Op(IntEnum):
    """Instructions."""

    BOOLEAN = 0
    INT = 1
    LONG = 2
    FLOAT = 3
    DOUBLE = 4
    BYTES = 5
    STRING = 6
    ITEMS = 7
    NEXT = 8
    PRESENT = 9
    OPTIONAL = 10
    MARK = 11
    RETURN = 12
    END = 13


_VALUES = {
    "boolean": Op.BOOLEAN,
    "int": Op.INT,
    "long": Op.LONG,
    "float": Op.FLOAT,
    "double": Op.DOUBLE,
    "bytes": Op.BYTES,
    "string": Op.STRING,
}
_UNWANTED = Wanted()


@dataclass(frozen=True)
class Program:
    """`again` is where in `code` the image before of a delete is read; 0 where a row has no images."""

    code: list[int]
    again: int
    layout: Layout


def compiled(parsed: Any, columns: Sequence[WireColumn]) -> Program:
    """The program that fills `columns` from datums of a schema as fastavro parsed it. Raises `UnsupportedError`."""
    layout = Layout.of(columns)
    compiler = _Compiler()
    again = compiler.whole(parsed, layout)
    return Program(compiler.code, again, layout)


class _Compiler:
    def __init__(self) -> None:
        self.code: list[int] = []
        self._records: dict[str, Any] = {}
        self._depth = self._nested = self._parts = 0

    def whole(self, parsed: Any, layout: Layout) -> int:
        before = None
        if not isinstance(parsed, dict) or parsed.get("type") != "record":
            raise UnsupportedError
        for one in _fields(parsed, layout.wanted):
            if layout.row is not None and one["name"] == "before":
                before = one["type"]
                self.code.append(Op.MARK)
            self._value(one["type"], layout.wanted.fields.get(one["name"], _UNWANTED))
        self.code.append(Op.END)
        if layout.row is None:
            return 0
        if before is None:
            raise UnsupportedError
        again = len(self.code)
        self._value(before, layout.row)
        self.code.append(Op.RETURN)
        return again

    def _value(self, schema: Any, wanted: Wanted) -> None:
        self._parts += 1
        self._nested += 1
        if self._nested > _NESTED or self._parts > _LONGEST:
            raise UnsupportedError
        if isinstance(schema, list):
            self._optional(schema, wanted)
        else:
            self._one(schema, wanted)
        self._nested -= 1

    def _one(self, schema: Any, wanted: Wanted) -> None:
        # A name without a namespace may be one of Avro's own words.
        if isinstance(schema, str) and "." in schema:
            # A record is known once it is complete: one that holds itself is refused.
            schema = self._records.get(schema)
        kind = schema.get("type") if isinstance(schema, dict) else schema
        if not isinstance(kind, str) or (isinstance(schema, dict) and "logicalType" in schema):
            raise UnsupportedError
        if kind == "record" and isinstance(schema, dict):
            self._record(schema, wanted)
        elif kind in ("array", "map") and isinstance(schema, dict):
            self._many(schema, kind, wanted)
        elif kind in _VALUES:
            if wanted is not _UNWANTED and wanted.avro != kind:
                raise UnsupportedError
            self.code += [_VALUES[kind], wanted.place]
        elif kind != "null":
            raise UnsupportedError

    def _optional(self, branches: list[Any], wanted: Wanted) -> None:
        if len(branches) != 2 or branches.count("null") != 1:
            raise UnsupportedError
        null = branches.index("null")
        # The number of a branch, 0 or 1, as Avro writes it.
        self.code += [Op.OPTIONAL, 2 * null, 2 * (1 - null), 0]
        end = len(self.code) - 1
        self._value(branches[1 - null], wanted)
        self.code[end] = len(self.code)

    def _record(self, schema: Any, wanted: Wanted) -> None:
        if wanted.avro or wanted.items is not None:
            raise UnsupportedError
        fields = _fields(schema, wanted)
        if wanted.present >= 0:
            self.code += [Op.PRESENT, wanted.present]
        for one in fields:
            self._value(one["type"], wanted.fields.get(one["name"], _UNWANTED))
        self._records[schema["name"]] = schema

    def _many(self, schema: Any, kind: str, wanted: Wanted) -> None:
        if self._depth == _DEEPEST or (wanted is not _UNWANTED and (kind == "map" or wanted.items is None)):
            raise UnsupportedError
        self._depth += 1
        self.code += [Op.ITEMS, wanted.place, 0]
        body = len(self.code)
        if kind == "map":
            self.code += [Op.STRING, -1]
        self._value(schema["values" if kind == "map" else "items"], wanted.items or _UNWANTED)
        # What an item of no byte would be: a count alone could then ask for any number of them.
        nothing = 2 if wanted.items is not None else 0
        if len(self.code) - body <= nothing:
            raise UnsupportedError
        self.code += [Op.NEXT, wanted.place, body]
        self.code[body - 1] = len(self.code)
        self._depth -= 1


def _fields(record: Any, wanted: Wanted) -> list[Any]:
    """The record's fields, each name once, with all that is wanted among them. Raises `UnsupportedError`."""
    fields: list[Any] = record["fields"]
    names = [one["name"] for one in fields]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise UnsupportedError
    if not wanted.fields.keys() <= set(names):
        raise UnsupportedError
    return fields

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
_LONGEST = 100_000  # numbers in a program: records that stand in each other again and again grow without end


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
        self._depth = 0

    def whole(self, parsed: Any, layout: Layout) -> int:
        before = None
        if not isinstance(parsed, dict) or parsed.get("type") != "record":
            raise UnsupportedError
        for one in parsed["fields"]:
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
        if len(self.code) > _LONGEST:
            raise UnsupportedError
        if isinstance(schema, str) and schema not in _VALUES and schema != "null":
            # A record is known once it is complete: one that holds itself is refused.
            schema = self._records.get(schema)
        if isinstance(schema, list):
            self._optional(schema, wanted)
            return
        if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
            self._value(schema["type"], wanted)
            return
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(schema, dict) and "logicalType" in schema:
            raise UnsupportedError
        if kind == "record":
            self._record(schema, wanted)
        elif kind in ("array", "map"):
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
        names = {one["name"] for one in schema["fields"]}
        if wanted.avro or not wanted.fields.keys() <= names:
            raise UnsupportedError
        if wanted.present >= 0:
            self.code += [Op.PRESENT, wanted.present]
        for one in schema["fields"]:
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
        self.code += [Op.NEXT, wanted.place, body]
        self.code[body - 1] = len(self.code)
        self._depth -= 1

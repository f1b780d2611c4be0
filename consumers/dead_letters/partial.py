"""A damaged Avro datum, read as far as it goes: for a person who looks at a dead letter, never for a table.

A reader of its own, because one that decodes whole records tells nothing of the part before the damage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consumers.decoder import HEADER
from consumers.writer_schema import WriterSchema

_MOST_ITEMS = 1_000


class _Damage(Exception):
    """Where reading had to end, and why."""


@dataclass(frozen=True)
class Partial:
    """`found` are the fields that could be read, in order; `bytes` how many of the message (its header counted).

    `problem` says what came then; '' when the whole message was read.
    """

    found: Any
    bytes: int
    problem: str


def partial(schema: WriterSchema, message: bytes) -> Partial:
    """Never raises for what the bytes hold."""
    reader = _Reader(message, HEADER)
    reader.declare(schema.declared, "")
    top: list[Any] = []
    try:
        reader.value(schema.declared, top, "")
        problem = f"{len(message) - reader.at} bytes are left over" if reader.at < len(message) else ""
    except (_Damage, RecursionError) as error:
        problem = f"at byte {reader.at} of {len(message)}: {error}"
    return Partial(top[0] if top else None, reader.at, problem)


class _Reader:
    """Fills dictionaries and lists as it goes, so that what was read stands when it fails."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at
        self._named: dict[str, Any] = {}

    def declare(self, schema: Any, namespace: str) -> None:
        """Learn the names of a schema's types: a branch that declares one may not be the one that is written."""
        if isinstance(schema, list):
            for branch in schema:
                self.declare(branch, namespace)
        elif isinstance(schema, dict):
            if "name" in schema:
                space, _, name = str(schema["name"]).rpartition(".")
                namespace = space or schema.get("namespace", namespace)
                self._named[f"{namespace}.{name}" if namespace else name] = schema
                self._named.setdefault(name, schema)
            for inner in (schema.get("type"), schema.get("items"), schema.get("values")):
                if isinstance(inner, dict | list):
                    self.declare(inner, namespace)
            for field in schema.get("fields", ()):
                self.declare(field["type"], namespace)

    def value(self, schema: Any, into: list[Any], path: str) -> None:
        """Append the next value."""
        if isinstance(schema, list):
            branch = self._long()
            if not 0 <= branch < len(schema):
                raise _Damage(f"{path}: branch {branch} of a union of {len(schema)}")
            self.value(schema[branch], into, path)
            return
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind == "record":
            self._record(schema, into, path)
        elif kind == "array":
            items: list[Any] = []
            into.append(items)
            for _ in self._blocks(path):
                self.value(schema["items"], items, path)
        elif kind == "map":
            pairs: dict[str, Any] = {}
            into.append(pairs)
            for _ in self._blocks(path):
                name = self._text(path)
                inner: list[Any] = []
                self.value(schema["values"], inner, f"{path}.{name}")
                pairs[name] = inner[0]
        elif isinstance(kind, dict | list):
            self.value(kind, into, path)
        else:
            into.append(self._plain(kind, schema, path) if kind in _PLAIN else self._again(kind, path))

    def _again(self, name: str, path: str) -> Any:
        if name not in self._named:
            raise _Damage(f"{path}: the schema names an unknown type {name!r}")
        inner: list[Any] = []
        self.value(self._named[name], inner, path)
        return inner[0]

    def _record(self, schema: dict[str, Any], into: list[Any], path: str) -> None:
        record: dict[str, Any] = {}
        into.append(record)
        for field in schema["fields"]:
            inner: list[Any] = []
            try:
                self.value(field["type"], inner, f"{path}.{field['name']}".lstrip("."))
            finally:
                if inner:
                    record[field["name"]] = inner[0]

    def _plain(self, kind: str, schema: Any, path: str) -> Any:
        match kind:
            case "null":
                return None
            case "boolean":
                return self._take(1, path) != b"\0"
            case "int" | "long":
                return self._long(path)
            case "float":
                return struct.unpack("<f", self._take(4, path))[0]
            case "double":
                return struct.unpack("<d", self._take(8, path))[0]
            case "string":
                return self._text(path)
            case "bytes":
                return self._take(self._long(path), path)
            case "fixed":
                return self._take(schema["size"], path)
            case _:
                number = self._long(path)
                if not 0 <= number < len(schema["symbols"]):
                    raise _Damage(f"{path}: symbol {number} of an enum of {len(schema['symbols'])}")
                return schema["symbols"][number]

    def _text(self, path: str) -> str:
        data = self._take(self._long(path), path)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise _Damage(f"{path}: {error}") from error

    def _blocks(self, path: str) -> Iterator[int]:
        while count := self._long(path):
            if count < 0:
                count = -count
                self._long(path)
            if count > _MOST_ITEMS:
                raise _Damage(f"{path}: a block of {count} items")
            yield from range(count)

    def _take(self, size: int, path: str) -> bytes:
        if size < 0 or size > len(self._data) - self.at:
            raise _Damage(f"{path}: a length of {size} with {len(self._data) - self.at} bytes left")
        self.at += size
        return self._data[self.at - size : self.at]

    def _long(self, path: str = "") -> int:
        found = shift = 0
        while True:
            if self.at >= len(self._data) or shift > 63:
                raise _Damage(f"{path}: a number that does not end")
            byte = self._data[self.at]
            self.at += 1
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (found >> 1) ^ -(found & 1)


_PLAIN = {"null", "boolean", "int", "long", "float", "double", "string", "bytes", "fixed", "enum"}

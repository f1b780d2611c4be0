"""A message of the schema-change topic as raw keeps it, and the columns in it as `waybill.types` has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waybill.source_changes.history import Moment
from waybill.types import SourceColumn

_NAME = re.compile(r'"((?:""|[^"])*)"')
# Most bytes one character takes in UTF-8, by the column's character set.
_BYTES_A_CHARACTER = {"utf8mb4": 4, "utf8mb3": 3, "utf8": 3, "ascii": 1}
_MOST_TEXT = {"TINYTEXT": 255, "TEXT": 65_535, "MEDIUMTEXT": 16_777_215, "LONGTEXT": 4_294_967_295}


@dataclass(frozen=True)
class Message:
    """One statement and one table in it. `columns` None: the table is gone, or the message names none."""

    topic_id: str
    offset: int
    ddl: str
    database: str
    table: str
    change: str  # CREATE, ALTER, DROP or ''
    columns: tuple[SourceColumn, ...] | None
    defaults: Mapping[str, str | None]  # by lower-case name, as the connector spells them
    members: Mapping[str, list[str]]  # of ENUM and SET columns
    snapshot: bool
    began: Moment


def table_name(identifier: str) -> str:
    """`database.table` of an identifier as the connector quotes it."""
    parts = [part.replace('""', '"') for part in _NAME.findall(identifier)]
    return ".".join(parts) if parts else identifier


def packed(columns: Sequence[Mapping[str, Any]]) -> str:
    """A table's columns as short JSON text, to be kept in raw."""
    return json.dumps(
        [
            [
                c["name"], c["typeName"], c["length"], c["scale"], c["optional"], c["charsetName"],
                c["defaultValueExpression"], c["enumValues"], c["comment"],
            ]
            for c in columns
        ],
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip


def packed_columns(columns: Iterable[SourceColumn]) -> str:
    """The same of columns that are known otherwise."""
    plain = [[c.name, c.type, c.length, c.scale, c.nullable, "utf8mb4", None, None, c.comment] for c in columns]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def unpacked(
    text: str | None,
) -> tuple[tuple[SourceColumn, ...] | None, dict[str, str | None], dict[str, list[str]]]:
    """Columns, their defaults, the members of ENUM and SET columns."""
    if not text:
        return None, {}, {}
    columns: list[SourceColumn] = []
    defaults: dict[str, str | None] = {}
    members: dict[str, list[str]] = {}
    for name, kind, length, scale, optional, charset, default, values, comment in json.loads(text):
        word = str(kind).upper()
        members[name.lower()] = [str(value).strip("'").replace("''", "'") for value in values or ()]
        if default is not None:
            defaults[name.lower()] = str(default).replace("''", "'")
        columns.append(
            SourceColumn(
                name, word, length, scale, optional is not False,
                _width(word, length, charset, members[name.lower()]), comment or "",
            )
        )  # fmt: skip
    return tuple(columns), defaults, members


def _width(kind: str, length: int | None, charset: str | None, members: Sequence[str]) -> int:
    """Most bytes a text value can have; 0 when it is no text. As `connect.source_tables` counts them."""
    each = _BYTES_A_CHARACTER.get(charset or "", 3)
    word = kind.split(" ")[0]
    if word in _MOST_TEXT:
        return _MOST_TEXT[word] if charset in _BYTES_A_CHARACTER or charset is None else _MOST_TEXT[word] * each
    if word in ("ENUM", "SET"):
        sizes = [len(member) for member in members] or [1]
        return (max(sizes) if word == "ENUM" else sum(sizes) + len(sizes) - 1) * each
    if word in ("BINARY", "VARBINARY"):
        return length or 0
    return (length or 1) * each if word in ("CHAR", "VARCHAR", "NCHAR", "NVARCHAR") else 0
